import { useState, type SubmitEvent } from "react";

import type { Access } from "./fetcher";
import type { Person } from "./session";

interface Props {
  token: string;
  access: Access;
  /** Whom the server knows without a token; null: nobody. */
  person: Person | null;
  onToken: (token: string) => void;
}

/** Asks for the token, says whether the server takes it, and forgets it on request. */
export function TokenBar({ token, access, person, onToken }: Props) {
  const [typed, setTyped] = useState("");

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const next = typed.trim();
    if (next !== "") {
      onToken(next);
      setTyped("");
    }
  };

  return (
    <header className="token-bar">
      <a className="token-bar-home" href="./">
        Codex
      </a>
      <form className="token-bar-form" onSubmit={submit}>
        <label htmlFor="token">Token</label>
        <input
          id="token"
          type="password"
          autoComplete="off"
          spellCheck={false}
          placeholder={token === "" ? "paste a token" : "another token"}
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
          }}
        />
        <button type="submit">Use token</button>
        {token !== "" && (
          <button
            type="button"
            onClick={() => {
              onToken("");
            }}
          >
            Forget it
          </button>
        )}
      </form>
      <Message token={token} access={access} person={person} />
    </header>
  );
}

function Message({ token, access, person }: Pick<Props, "token" | "access" | "person">) {
  if (token === "" && person !== null && access !== "refused") {
    return (
      <p className="token-bar-message token-bar-granted" role="status">
        Signed in as {person.name} ({person.role.toLowerCase()}). No token is needed.
      </p>
    );
  }
  if (token === "") {
    return (
      <p className="token-bar-message" role={access === "refused" ? "alert" : "status"}>
        Queries need a token. Make one with{" "}
        <code>codex token create --name me --role technician</code>; this tab keeps it until it is closed.
      </p>
    );
  }
  switch (access) {
    case "refused":
      return (
        <p className="token-bar-message token-bar-refused" role="alert">
          The server does not accept this token (401). It may be mistyped, expired or revoked: enter another.
        </p>
      );
    case "granted":
      return (
        <p className="token-bar-message token-bar-granted" role="status">
          Token accepted.
        </p>
      );
    case "unknown":
      return (
        <p className="token-bar-message" role="status">
          Token not tried yet.
        </p>
      );
  }
}
