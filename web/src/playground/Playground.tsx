import { useMemo, useState } from "react";
import { GraphiQL } from "graphiql";

import { createFetcher, type Access } from "./fetcher";
import { firstQuery } from "./firstQuery";
import { keepToken, readToken } from "./token";
import { TokenBar } from "./TokenBar";

/** GraphiQL over this server's graph, below a bar that asks for the token. */
export function Playground() {
  const [token, setToken] = useState(readToken);
  const [access, setAccess] = useState<Access>("unknown");

  const defaultQuery = useMemo(() => firstQuery(new Date()), []);
  const fetcher = useMemo(() => createFetcher(token, setAccess), [token]);
  const useToken = (next: string) => {
    keepToken(next);
    setAccess("unknown");
    setToken(next);
  };

  return (
    <div className="playground">
      <TokenBar token={token} access={access} onToken={useToken} />
      <main className="playground-editor">
        {/* Without a token the schema is not asked for either: null keeps GraphiQL from trying. */}
        <GraphiQL
          fetcher={fetcher}
          {...(token === "" ? { schema: null } : {})}
          defaultQuery={defaultQuery}
          shouldPersistHeaders={false}
          showPersistHeadersSettings={false}
        >
          <GraphiQL.Logo>Codex</GraphiQL.Logo>
        </GraphiQL>
      </main>
    </div>
  );
}
