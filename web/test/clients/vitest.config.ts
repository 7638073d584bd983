import { defineConfig } from "vitest/config";

// These cases ask a hub that is given: CODEX_URL and the variables beside it in urql.spec.ts. The Go
// package cmd/server starts one and runs them.
export default defineConfig({
  test: {
    include: ["test/clients/*.spec.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
