import { Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { cacheExchange, type KeyingConfig } from "@urql/exchange-graphcache";
import { relayPagination } from "@urql/exchange-graphcache/extras";
import { createClient } from "graphql-sse";
import type { IntrospectionQuery } from "graphql";

/** A client of the graph at url, whose cache knows the schema. */
export function createCodexClient(url: string, token: string, schema: IntrospectionQuery): Client {
  const headers = { Authorization: `Bearer ${token}` };
  const streams = createClient({ url, headers });
  return new Client({
    url,
    fetchOptions: { headers },
    exchanges: [
      cacheExchange({
        schema,
        keys: keysOf(schema),
        // One long list of all pages that were read, for each filter and order.
        resolvers: { Query: { tickets: relayPagination() } },
        // What a mutation changed beyond what it gives back.
        updates: {
          Mutation: {
            renameCompany: (_, { accountNumber }, cache) => {
              cache.invalidate({ __typename: "Company", accountNumber: accountNumber as string });
            },
          },
        },
      }),
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query = "", variables = {} }) => ({
          subscribe: (sink) => ({ unsubscribe: streams.subscribe({ query, variables }, sink) }),
        }),
      }),
    ],
  });
}

/** An object's key is its id, or the number that is its id. What has neither is a part of another. */
function keysOf(schema: IntrospectionQuery): KeyingConfig {
  const keys: KeyingConfig = {};
  for (const type of schema.__schema.types) {
    if (type.kind === "OBJECT" && !type.fields.some(({ name }) => name === "id")) {
      keys[type.name] = () => null;
    }
  }
  return {
    ...keys,
    Company: ({ accountNumber }) => accountNumber as string,
    Ticket: ({ ticketId }) => ticketId as string,
    Token: ({ name }) => name as string,
  };
}
