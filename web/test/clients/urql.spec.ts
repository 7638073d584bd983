import { afterEach, beforeAll, beforeEach, expect, test, vi, type MockInstance } from "vitest";
import { Client, fetchExchange, gql, type AnyVariables, type OperationResult, type TypedDocumentNode } from "@urql/core";
import { persistedExchange } from "@urql/exchange-persisted";
import { getIntrospectionQuery, type IntrospectionQuery } from "graphql";

import { createCodexClient } from "./client";

// The hub: where it is (with a slash at the end), an admin's token, and a machine of Contoso's that it
// has seen under two host names, the first of them at a moment.
const hub = given("CODEX_URL");
const token = given("CODEX_TOKEN");
const machine = given("CODEX_MACHINE");
const before = given("CODEX_BEFORE");
const after = given("CODEX_AFTER");
const then = given("CODEX_THEN");

const endpoint = new URL("graphql", hub).href;

let schema: IntrospectionQuery;
let client: Client;
let asked: MockInstance<typeof fetch>;
let told: MockInstance<typeof console.warn>[];

beforeAll(async () => {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify({ query: getIntrospectionQuery() }),
  });
  const answer = (await response.json()) as { data: IntrospectionQuery; errors?: unknown };
  expect(answer.errors).toBeUndefined();
  schema = answer.data;
});

beforeEach(() => {
  asked = vi.spyOn(globalThis, "fetch");
  told = [vi.spyOn(console, "warn"), vi.spyOn(console, "error")];
  client = createCodexClient(endpoint, token, schema);
});

// The cache says on the console what it cannot make sense of: fields that the schema lacks, objects
// without a key, links that are half there.
afterEach(() => {
  for (const spy of told) {
    expect(spy.mock.calls).toEqual([]);
  }
  vi.restoreAllMocks();
});

interface Ticket {
  ticketId: string;
  subject: string;
  hours: number;
  company: { accountNumber: string; name: string };
}

interface Tickets {
  tickets: { totalCount: number; nodes: Ticket[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
}

const ticketPage: TypedDocumentNode<Tickets, { first: number; after?: string }> = gql`
  query ($first: Int!, $after: String) {
    tickets(first: $first, after: $after, orderBy: { field: LAST_UPDATED_AT, direction: DESC }) {
      totalCount
      nodes {
        ticketId
        subject
        hours
        company {
          accountNumber
          name
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`;

test("pages through all tickets, and the cache has them as one list", async () => {
  const whole = data(await createCodexClient(endpoint, token, schema).query(ticketPage, { first: 1000 })).tickets;
  expect(whole.nodes.length).toBeGreaterThan(20);
  expect(whole.totalCount).toBe(whole.nodes.length);

  let page = data(await client.query(ticketPage, { first: 7 })).tickets;
  let pages = 1;
  while (page.pageInfo.hasNextPage) {
    page = data(await client.query(ticketPage, { first: 7, after: page.pageInfo.endCursor ?? "" })).tickets;
    pages++;
  }
  expect(pages).toBe(Math.ceil(whole.nodes.length / 7));
  expect(plain(page.nodes)).toEqual(plain(whole.nodes));

  const requests = asked.mock.calls.length;
  const again = data(await client.query(ticketPage, { first: 7 }, { requestPolicy: "cache-only" })).tickets;
  expect(plain(again.nodes)).toEqual(plain(whole.nodes));
  expect(asked.mock.calls.length).toBe(requests);
});

interface Named {
  company: { accountNumber: string; name: string } | null;
}

const company: TypedDocumentNode<Named, { account: string }> = gql`
  query ($account: ID!) {
    company(accountNumber: $account) {
      accountNumber
      name
    }
  }
`;

test("sees what a mutation gives back, wherever it is shown", async () => {
  const seen: (string | null)[] = [];
  const watching = client
    .query<{ assets: { nodes: { company: { phoneSystem: string | null } }[] } }>(
      gql`
        query ($id: ID!) {
          assets(filter: { id: { eq: $id } }) {
            nodes {
              id
              company {
                accountNumber
                phoneSystem
              }
            }
          }
        }
      `,
      { id: machine },
    )
    .subscribe((result) => {
      seen.push(...data(result).assets.nodes.map((asset) => asset.company.phoneSystem));
    });
  await vi.waitFor(() => {
    expect(seen).toHaveLength(1);
  });
  data(
    await client.mutation(
      gql`
        mutation {
          updateCompany(accountNumber: "620547", input: { phoneSystem: "by hand" }) {
            company {
              accountNumber
              phoneSystem
            }
          }
        }
      `,
      {},
    ),
  );
  expect(seen.at(-1)).toBe("by hand");
  expect(asked.mock.calls.length).toBe(2); // nothing was asked again
  watching.unsubscribe();
});

test("sees what a mutation changed beyond what it gives back", async () => {
  const companies = data(
    await client.query<{ companies: { nodes: { accountNumber: string; name: string }[] } }>(
      gql`
        {
          companies(filter: { accountNumber: { ne: "620547" } }, first: 1) {
            nodes {
              accountNumber
              name
            }
          }
        }
      `,
      {},
    ),
  ).companies.nodes;
  const { accountNumber: from = "", name } = companies[0] ?? {};
  const to = `${from}-NEW`;
  const seen: (string | undefined)[] = [];
  const watching = client.query(company, { account: from }).subscribe((result) => {
    seen.push(data(result).company?.name);
  });
  await vi.waitFor(() => {
    expect(seen).toEqual([name]);
  });

  const renamed = data(
    await client.mutation<{ renameCompany: { company: { accountNumber: string; name: string } } }>(
      gql`
        mutation ($from: ID!, $to: ID!) {
          renameCompany(accountNumber: $from, to: $to) {
            company {
              accountNumber
              name
            }
          }
        }
      `,
      { from, to },
    ),
  ).renameCompany.company;
  expect(plain(renamed)).toEqual({ accountNumber: to, name });
  await vi.waitFor(() => {
    expect(seen.at(-1)).toBeUndefined(); // no company has the old number any more
  });
  watching.unsubscribe();
  expect(plain(data(await client.query(company, { account: to })).company)).toEqual({ accountNumber: to, name });
});

interface Run {
  id: string;
  state: string;
  counts: { entity: string; unchanged: number }[];
}

test("starts a sync, and a query that is open follows it to its end through the stream", async () => {
  const states: string[] = [];
  const watching = client
    .subscription<{ syncProgress: Run }>(
      gql`
        subscription {
          syncProgress(feed: FRESHSERVICE) {
            id
            state
            counts {
              entity
              unchanged
            }
          }
        }
      `,
      {},
    )
    .subscribe((result) => {
      states.push(`${data(result).syncProgress.id} ${data(result).syncProgress.state}`);
    });
  await vi.waitFor(() => {
    expect(asked.mock.results).toHaveLength(1); // it is on its way before the run is
  });
  const { run } = data(
    await client.mutation<{ syncFreshservice: { run: Run } }>(
      gql`
        mutation {
          syncFreshservice(dryRun: true) {
            run {
              id
              state
              counts {
                entity
                unchanged
              }
            }
          }
        }
      `,
      {},
    ),
  ).syncFreshservice;

  const shown: string[] = [];
  const showing = client
    .query<{ syncRun: Run }>(
      gql`
        query ($id: ID!) {
          syncRun(id: $id) {
            id
            state
            counts {
              entity
              unchanged
            }
          }
        }
      `,
      { id: run.id },
    )
    .subscribe((result) => {
      shown.push(data(result).syncRun.state);
    });
  await vi.waitFor(
    () => {
      expect(states.at(-1)).toBe(`${run.id} SUCCEEDED`);
      expect(shown.at(-1)).toBe("SUCCEEDED");
    },
    { timeout: 30_000 },
  );
  showing.unsubscribe();
  watching.unsubscribe();
  // The stream, the mutation, and the query once: all else came by the stream.
  expect(asked.mock.calls.length).toBe(3);
});

interface Now {
  asset: { id: string; hostname: string; backup: { bytes: string }; company: { accountNumber: string; name: string } };
}

interface Then {
  asOf: {
    at: string;
    asset: { id: string; assetId: string; hostname: string; backup: { bytes: string }; company: { id: string; name: string } };
  };
}

const now: TypedDocumentNode<Now, { id: string }> = gql`
  query ($id: ID!) {
    asset(id: $id) {
      id
      hostname
      backup {
        bytes
      }
      company {
        accountNumber
        name
      }
    }
  }
`;

const past: TypedDocumentNode<Then, { id: string; at: string }> = gql`
  query ($id: ID!, $at: Time!) {
    asOf(at: $at) {
      at
      asset(id: $id) {
        id
        assetId
        hostname
        backup {
          bytes
        }
        company {
          id
          name
        }
      }
    }
  }
`;

const both: TypedDocumentNode<Now & Then, { id: string; at: string }> = gql`
  query ($id: ID!, $at: Time!) {
    asset(id: $id) {
      id
      hostname
    }
    asOf(at: $at) {
      at
      asset(id: $id) {
        id
        hostname
      }
    }
  }
`;

test.each(["the present first", "the past first", "both at once"])(
  "keeps the past beside the present in one cache: %s",
  async (order) => {
    const names: string[] = [];
    const present = () => client.query(now, { id: machine });
    const history = () => client.query(past, { id: machine, at: then });
    if (order === "the past first") {
      data(await history());
    } else if (order === "both at once") {
      data(await client.query(both, { id: machine, at: then }));
    }
    const watching = present().subscribe((result) => {
      names.push(data(result).asset.hostname);
    });
    await vi.waitFor(() => {
      expect(names).toEqual([after]);
    });
    data(await history());
    expect(names).toEqual([after]); // the past is no news of the present

    const requests = asked.mock.calls.length;
    const cached = { requestPolicy: "cache-only" } as const;
    const today = data(await client.query(now, { id: machine }, cached)).asset;
    const once = data(await client.query(past, { id: machine, at: then }, cached)).asOf;
    const beside = data(await client.query(both, { id: machine, at: then }, cached));
    expect(asked.mock.calls.length).toBe(requests);
    watching.unsubscribe();

    expect(today.hostname).toBe(after);
    expect(today.id).toBe(machine);
    expect(once.asset.hostname).toBe(before);
    expect(once.asset.assetId).toBe(machine);
    expect(once.asset.id).toBe(`${machine}@${once.at}`);
    expect(once.asset.company.id).toBe(`${today.company.accountNumber}@${once.at}`);
    expect(once.asset.backup.bytes).toBe(today.backup.bytes);
    expect([beside.asset.hostname, beside.asOf.asset.hostname]).toEqual([after, before]);
  },
);

test("sends a query once, and its hash from then on", async () => {
  const saving = new Client({
    url: endpoint,
    fetchOptions: { headers: { Authorization: `Bearer ${token}` } },
    exchanges: [persistedExchange({ preferGetForPersistedQueries: true }), fetchExchange],
  });
  const twice = { requestPolicy: "network-only" } as const;
  expect(data(await saving.query(now, { id: machine }, twice)).asset.hostname).toBe(after);
  expect(data(await saving.query(now, { id: machine }, twice)).asset.hostname).toBe(after);
  const sent = asked.mock.calls.map(([url]) => [...new URL(url as string).searchParams.keys()].sort());
  expect(sent).toEqual([
    ["extensions", "variables"], // not known yet
    ["extensions", "query", "variables"],
    ["extensions", "variables"],
  ]);
});

test("tells by its code what is refused", async () => {
  const { error } = await client.query(past, { id: machine, at: "2001-01-01T00:00:00Z" });
  expect(error?.graphQLErrors.map(({ extensions }) => extensions.code)).toEqual(["NO_HISTORY"]);

  const nobody = await createCodexClient(endpoint, "wrong", schema).query(now, { id: machine });
  expect((nobody.error?.response as Response).status).toBe(401);
});

/** The data of a result that has no error. */
function data<Data, Variables extends AnyVariables>(result: OperationResult<Data, Variables>): Data {
  if (result.error !== undefined || result.data === undefined) {
    throw result.error ?? new Error("there is neither data nor an error");
  }
  return result.data;
}

/** A value without the types' names that the cache adds to it. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value, (key, part: unknown) => (key === "__typename" ? undefined : part))) as T;
}

function given(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "") {
    throw new Error(`${name} is not set: the Go test of package cmd/server sets it`);
  }
  return value;
}
