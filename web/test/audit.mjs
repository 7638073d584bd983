// Asks a running codex, that of CODEX_URL, what the public audit of GraphQL over HTTP asks, with the
// token CODEX_TOKEN, and prints a line for each question. It ends with 1 where something that a
// server MUST or SHOULD do is not done; what it MAY do is told and no more.
import { serverAudits } from "graphql-http";

const { CODEX_URL: base, CODEX_TOKEN: token } = process.env;
if (!base || !token) {
  throw new Error("CODEX_URL and CODEX_TOKEN say whom to ask");
}

const audits = serverAudits({
  url: new URL("graphql", base).href,
  fetchFn: (url, init = {}) => fetch(url, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } }),
});

let failed = 0;
for (const audit of audits) { // one after another: a caller may have so many operations at once
  const result = await audit.fn();
  if (result.status === "ok") {
    console.log(`ok ${audit.id} ${audit.name}`);
    continue;
  }
  const may = audit.name.startsWith("MAY");
  failed += may ? 0 : 1;
  console.log(`${may ? "not" : "FAILED"} ${audit.id} ${audit.name}: ${result.reason}`);
}
process.exit(failed === 0 ? 0 : 1);
