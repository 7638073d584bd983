import { defineConfig } from "vitest/config";

export default defineConfig({
  // Relative addresses: the pages work below any path prefix.
  base: "./",
  build: {
    // GraphiQL is one page's one big part; cutting it up would gain nothing.
    chunkSizeWarningLimit: 2000,
    rolldownOptions: {
      input: ["index.html", "playground.html"],
      onLog(level, log, handle) {
        // Packages mark modules "use client" for servers that render React; there is none here.
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") {
          handle(level, log);
        }
      },
    },
  },
  test: {
    // Those of test/clients ask a whole hub, and are run by package cmd/server, which has one.
    include: ["test/*.spec.ts"],
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
