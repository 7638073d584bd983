import type { ComponentProps } from "react";
import type { GraphiQL } from "graphiql";
import { getOperationAST, OperationTypeNode, parse } from "graphql";
import { createClient } from "graphql-sse";

type Fetcher = ComponentProps<typeof GraphiQL>["fetcher"];

// Relative to the page, so that it holds below any path prefix.
export const endpoint = "graphql";

/** What the page says about the last request's right to be answered. */
export type Access = "granted" | "refused" | "unknown";

/**
 * A fetcher that sends the token with each request, and tells through onAccess whether the server
 * took it. What is no GraphQL answer becomes one with an error that says what came instead. The
 * answer to a subscription is a stream, which ends when it is stopped.
 */
export function createFetcher(token: string, onAccess: (access: Access) => void): Fetcher {
  const send = async (url: string, init: RequestInit): Promise<Response> => {
    try {
      const response = await fetch(url, init);
      onAccess(response.status === 401 ? "refused" : response.ok ? "granted" : "unknown");
      return response;
    } catch (err) {
      onAccess("unknown");
      throw err;
    }
  };

  return async (params, opts) => {
    const headers: Record<string, string> = {
      ...(token === "" ? {} : { Authorization: `Bearer ${token}` }),
      ...(opts?.headers as Record<string, string> | undefined),
    };

    if (isSubscription(params.query, params.operationName)) {
      // Whoever wants it again runs it again: a token that is refused is not tried five times.
      const client = createClient({ url: endpoint, headers, fetchFn: send, retryAttempts: 0 });
      const { operationName, ...request } = params;
      return client.iterate(typeof operationName === "string" ? { ...request, operationName } : request);
    }

    let response: Response;
    try {
      response = await send(endpoint, {
        method: "POST",
        headers: {
          Accept: "application/graphql-response+json, application/json",
          "Content-Type": "application/json",
          ...headers,
        },
        body: JSON.stringify(params),
      });
    } catch (err) {
      return failure(`The server cannot be reached: ${String(err)}`);
    }

    const body = parseJSON(await response.text());
    return isAnswer(body) ? body : failure(`The server answered ${String(response.status)}: ${reason(body)}`);
  };
}

/** Reads the text itself: what GraphiQL hands over beside it is older while somebody types. */
function isSubscription(text: string, operationName?: string | null): boolean {
  try {
    return getOperationAST(parse(text), operationName)?.operation === OperationTypeNode.SUBSCRIPTION;
  } catch {
    return false; // the server says what is wrong with it
  }
}

interface Answer {
  data?: Record<string, unknown> | null;
  errors?: { message: string }[];
}

/** The body as JSON, or as the text that it is where it is none (a proxy's page, for instance). */
function parseJSON(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function isAnswer(body: unknown): body is Answer {
  return typeof body === "object" && body !== null && ("data" in body || "errors" in body);
}

/** Why there is no GraphQL answer: REST errors are {"error": "…"}. */
function reason(body: unknown): string {
  if (typeof body === "object" && body !== null && "error" in body) {
    return String(body.error);
  }
  return (typeof body === "string" ? body : JSON.stringify(body)).slice(0, 500);
}

function failure(message: string): Answer {
  return { errors: [{ message }] };
}
