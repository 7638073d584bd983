import { useEditorContext, type GraphiQLPlugin } from "@graphiql/react";
import { flushSync } from "react-dom";

import { examples, variablesAt, type Example } from "./examples";

/** A panel of GraphiQL's sidebar that lists the examples. One that is chosen opens in a tab of its own. */
export const examplesPlugin: GraphiQLPlugin = { title: "Examples", icon: Icon, content: Examples };

function Examples() {
  const editors = useEditorContext({ nonNull: true });

  const open = ({ query, operation, variables }: Example) => {
    const filled = variablesAt(variables, new Date());
    // A new tab has the default query: it must be there before another takes that one's place.
    flushSync(() => {
      editors.addTab();
    });
    editors.variableEditor?.setValue(filled);
    editors.queryEditor?.setValue(query);
    editors.updateActiveTabValues({ query, variables: filled });
    editors.setOperationName(operation); // until the editor finds it itself it would run that of the last tab
    editors.queryEditor?.focus();
  };

  const groups = new Set(examples.map(({ group }) => group));
  return (
    <section className="examples" aria-label="Examples">
      <h2 className="examples-title">Examples</h2>
      {[...groups].map((group) => (
        <section key={group} aria-label={group}>
          <h3>{group}</h3>
          <ul>
            {examples.filter((example) => example.group === group).map((example) => (
              <li key={example.title}>
                <button
                  type="button"
                  onClick={() => {
                    open(example);
                  }}
                >
                  <strong>{example.title}</strong>
                  <span>{example.about}</span>
                </button>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </section>
  );
}

function Icon() {
  return (
    <svg viewBox="0 0 24 24" width="1em" height="1em" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true">
      <path d="M4 6h2M9 6h11M4 12h2M9 12h11M4 18h2M9 18h11" strokeLinecap="round" />
    </svg>
  );
}
