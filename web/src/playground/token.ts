// The token lives as long as the browser's tab: sessionStorage, never localStorage or a cookie, so
// that closing the tab forgets it and no other page of the browser sends it.
const key = "codex.token";

export function readToken(): string {
  return sessionStorage.getItem(key) ?? "";
}

export function keepToken(token: string): void {
  if (token === "") {
    sessionStorage.removeItem(key);
  } else {
    sessionStorage.setItem(key, token);
  }
}
