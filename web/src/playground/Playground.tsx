import { useEffect, useMemo, useState } from "react";
import { GraphiQL } from "graphiql";

import { examplesPlugin } from "./Examples";
import { createFetcher, type Access } from "./fetcher";
import { firstQuery } from "./firstQuery";
import { whoAmI, type Person } from "./session";
import { keepToken, readToken } from "./token";
import { TokenBar } from "./TokenBar";

const plugins = [examplesPlugin];

/** GraphiQL over this server's graph, below a bar that asks for the token where the browser has no session. */
export function Playground() {
  const [token, setToken] = useState(readToken);
  const [access, setAccess] = useState<Access>("unknown");
  const [person, setPerson] = useState<Person | null>(null);

  useEffect(() => {
    let left = false;
    if (token === "") {
      void whoAmI().then((found) => {
        if (!left) {
          setPerson(found);
        }
      });
    }
    return () => {
      left = true;
    };
  }, [token]);

  const defaultQuery = useMemo(() => firstQuery(new Date()), []);
  const fetcher = useMemo(() => createFetcher(token, setAccess), [token]);
  const known = token !== "" || (person !== null && access !== "refused");
  const useToken = (next: string) => {
    keepToken(next);
    setAccess("unknown");
    setPerson(null);
    setToken(next);
  };

  return (
    <div className="playground">
      <TokenBar token={token} access={access} person={person} onToken={useToken} />
      <main className="playground-editor">
        {/* Of whom the server does not know the schema is not asked for either: null keeps GraphiQL from
            trying. What is typed as a header would be kept in the history, a token too: the bar is for those. */}
        <GraphiQL
          fetcher={fetcher}
          {...(known ? {} : { schema: null })}
          defaultQuery={defaultQuery}
          plugins={plugins}
          defaultEditorToolsVisibility="variables"
          isHeadersEditorEnabled={false}
          shouldPersistHeaders={false}
          showPersistHeadersSettings={false}
        >
          <GraphiQL.Logo>Codex</GraphiQL.Logo>
        </GraphiQL>
      </main>
    </div>
  );
}
