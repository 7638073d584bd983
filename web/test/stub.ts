import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { buildSchema, graphql } from "graphql";

/**
 * Stands for codex where none is given: serves the built pages below a path prefix, with the policy
 * that the Go package web demands, and answers GraphQL over a small schema to who has the token, or a
 * cookie that holds it, with a stream to who asks for one.
 */
export interface Stub {
  url: string;
  token: string;
  close: () => Promise<void>;
}

const prefix = "/codex";
const token = "stub-token";

const schema = buildSchema(`
  type Query { company(accountNumber: String!): Company me: Caller! }
  type Caller { name: String! role: String! }
  type Subscription { syncProgress: SyncRun! }
  type SyncRun { id: ID! phase: String! }
  type Company { name: String! assets: [Asset!]! assetsTotal: AssetsTotal! contacts: [Contact!]!
    locations: [Location!]! tickets(year: Int): [Ticket!]! }
  type Asset { id: ID! hostname: String! online: Boolean backup: Backup contacts: [Contact!]! }
  type Backup { bytes: String! usageTb: String! }
  type AssetsTotal { count: Int! backupBytes: String! }
  type Contact { id: ID! name: String! email: String }
  type Location { name: String! address: String }
  type Ticket { ticketId: ID! subject: String! hours: Float! }
`);

const ada = { id: "7", name: "Ada Example", email: "ada@example.com" };
const company = {
  name: "Example Widgets",
  assets: [
    { id: "12", hostname: "EX-SRV-01", online: true, backup: { bytes: "274877906944", usageTb: "0.25" }, contacts: [ada] },
  ],
  assetsTotal: { count: 1, backupBytes: "274877906944" },
  contacts: [ada],
  locations: [{ name: "Main office", address: "1 Example Street" }],
  tickets: [{ ticketId: "4711", subject: "Printer on fire", hours: 0.25 }],
};
const root = {
  me: { name: "ana", role: "BILLING" },
  company: ({ accountNumber }: { accountNumber: string }) => (accountNumber === "620547" ? company : null),
};

/** What is told of a run: two results, after which the stream stays open. */
const progress = ["reading sites", "reading devices"].map((phase) => ({ data: { syncProgress: { id: "5b0c", phase } } }));

const types: Record<string, string> = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
};

export async function startStub(): Promise<Stub> {
  const policy = await readPolicy();
  const server = createServer((request, response) => {
    response.setHeader("Content-Security-Policy", policy);
    answer(request, response).catch((err: unknown) => {
      send(response, 500, "text/plain", String(err));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${String(port)}${prefix}/`, token, close: () => close(server) };
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? "/", "http://stub");
  if (!pathname.startsWith(`${prefix}/`)) {
    send(response, 404, "text/plain", "outside the prefix");
    return;
  }
  const path = pathname.slice(prefix.length + 1);
  if (path === "graphql") {
    await answerQuery(request, response);
    return;
  }
  const name = path === "" ? "index.html" : path === "playground" ? "playground.html" : path;
  try {
    const body = await readFile(join(import.meta.dirname, "../dist", normalize(`/${name}`)));
    send(response, 200, types[extname(name)] ?? "application/octet-stream", body);
  } catch {
    send(response, 404, "text/plain", "no such file");
  }
}

async function answerQuery(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.headers.authorization !== `Bearer ${token}` && request.headers.cookie !== `codex_session=${token}`) {
    send(response, 401, "application/json", JSON.stringify({ error: "Invalid or expired token" }));
    return;
  }
  if (request.headers.accept?.includes("text/event-stream")) {
    response.writeHead(200, { "Content-Type": "text/event-stream; charset=utf-8" });
    for (const result of progress) {
      response.write(`event: next\ndata: ${JSON.stringify(result)}\n\n`);
    }
    return;
  }
  let body = "";
  for await (const chunk of request) {
    body += String(chunk);
  }
  const { query, variables } = JSON.parse(body) as { query: string; variables?: Record<string, unknown> };
  const result = await graphql({ schema, source: query, rootValue: root, variableValues: variables ?? {} });
  send(response, 200, "application/json", JSON.stringify(result));
}

function send(response: ServerResponse, status: number, type: string, body: string | Buffer): void {
  response.writeHead(status, { "Content-Type": type });
  response.end(body);
}

function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.closeAllConnections();
    server.close((err) => {
      if (err === undefined) {
        resolve();
      } else {
        reject(err);
      }
    });
  });
}

/** The policy as web.go has it, so that there is one place that says it. */
async function readPolicy(): Promise<string> {
  const source = await readFile(join(import.meta.dirname, "../web.go"), "utf8");
  const constant = /const ContentSecurityPolicy = ((?:"[^"]*"(?: \+\s+)?)+)/.exec(source)?.[1];
  if (constant === undefined) {
    throw new Error("web.go has no constant ContentSecurityPolicy");
  }
  return [...constant.matchAll(/"([^"]*)"/g)].map((part) => part[1]).join("");
}
