import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";

import { examples } from "../src/playground/examples";
import { startStub, type Stub } from "./stub";

// With CODEX_URL and CODEX_TOKEN the pages are those of a running codex; without, a stub's. The URL
// is that of the landing page and ends in a slash.
const given = process.env.CODEX_URL;

let stub: Stub | undefined;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let base: string;
let token: string;
/** What must not happen on any page: requests to other origins, scripts that fail, broken policy. */
let trouble: string[];

beforeAll(async () => {
  if (given === undefined) {
    stub = await startStub();
    base = stub.url;
    token = stub.token;
  } else {
    base = given;
    token = process.env.CODEX_TOKEN ?? "";
    expect(token, "CODEX_URL needs CODEX_TOKEN").not.toBe("");
  }
  browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    // Chromium's sandbox refuses root, and tests often run as root in containers.
    args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
  });
});

afterAll(async () => {
  await browser.close();
  await stub?.close();
});

beforeEach(async () => {
  trouble = [];
  context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  await context.route("**/*", async (route) => {
    const url = route.request().url();
    if (url.startsWith("data:") || url.startsWith("blob:") || new URL(url).origin === new URL(base).origin) {
      await route.continue();
      return;
    }
    trouble.push(`request to ${url}`);
    await route.abort();
  });
  page = await context.newPage();
  page.setDefaultTimeout(50_000); // the first page of a cold browser, beside compilers
  page.on("pageerror", (err) => trouble.push(`script failed: ${err.message}`));
  page.on("console", (message) => {
    if (message.text().includes("Content Security Policy")) {
      trouble.push(message.text());
    }
  });
});

afterEach(async () => {
  await context.close();
  expect(trouble).toEqual([]);
});

/** Opens the page, and waits until its editor has something to run. */
async function openPlayground(): Promise<void> {
  await page.goto(new URL("playground", base).href);
  await page.locator(".graphiql-query-editor").getByText("accountNumber").first().waitFor();
}

async function useToken(value: string): Promise<void> {
  await page.getByLabel("Token", { exact: true }).fill(value);
  await page.getByRole("button", { name: "Use token" }).click();
}

/** What an editor of the open tab holds. */
async function editorText(editor: "query" | "variable"): Promise<string> {
  return await page
    .locator(`.graphiql-${editor === "query" ? "query-editor" : "editor-tool .graphiql-editor:not(.hidden)"} .CodeMirror`)
    .first()
    .evaluate((element) => (element as unknown as { CodeMirror: { getValue(): string } }).CodeMirror.getValue());
}

describe("the playground", () => {
  beforeEach(openPlayground);

  test("asks for a token, and before it has one nothing of the server but whether it knows the browser", async () => {
    await page.evaluate(() => {
      localStorage.clear(); // as who comes first: a tab that was left at once is kept, and empty
    });
    await page.goto("about:blank"); // so that nothing is still on its way
    const asked: (string | null)[] = [];
    page.on("request", (request) => {
      if (new URL(request.url()).pathname.endsWith("/graphql")) {
        asked.push(request.postData());
      }
    });
    const answered = page.waitForResponse((response) => response.url() === new URL("graphql", base).href);
    await openPlayground();
    await answered;

    await page.getByRole("status").getByText("Queries need a token").waitFor();
    expect(asked).toEqual(['{"query":"{ me { name role } }"}']);
  });

  test("keeps a history of what was run, over a reload too, and no token in it", async () => {
    await useToken(token);
    await page.getByText("Token accepted.").waitFor();
    const answered = page.waitForResponse((response) => response.request().postData()?.includes("company(") ?? false);
    await page.getByRole("button", { name: /^Execute query/ }).click();
    await answered;
    await page.locator(".result-window").getByText('"company"').waitFor();
    await page.reload();
    await page.getByRole("button", { name: "Show History" }).click();
    await page.locator(".graphiql-history-item").getByText("company(").waitFor();
    expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain(token);
  });

  test("has examples, each of which opens in a tab of its own and runs", { timeout: 240_000 }, async () => {
    await useToken(token);
    await page.getByText("Token accepted.").waitFor();
    await page.getByRole("button", { name: "Show Examples" }).click();
    const panel = page.getByRole("region", { name: "Examples", exact: true });
    expect(await panel.getByRole("button").count()).toBe(examples.length);
    for (const example of examples) {
      const button = panel.getByRole("button", { name: example.title });
      await button.focus(); // as one who has no mouse
      await page.keyboard.press("Enter");
      expect(await editorText("query")).toBe(example.query);
      const variables = await editorText("variable");
      expect(variables === "").toBe(example.variables === "");
      expect(variables).not.toContain("{year}");
      expect(await page.evaluate(() => document.activeElement?.closest(".graphiql-query-editor") !== null)).toBe(true);

      if (given === undefined || example.query.includes("subscription ")) {
        continue; // what the stub answers says nothing of them; a stream has a test of its own
      }
      const answered = page.waitForResponse((response) => response.url() === new URL("graphql", base).href);
      await page.keyboard.press("Control+Enter");
      const { errors } = (await (await answered).json()) as { errors?: unknown };
      expect([example.title, errors]).toEqual([example.title, undefined]);
    }
    expect(await page.getByRole("tab").count()).toBe(examples.length + 1);
    await page.getByRole("tab").first().click(); // what was there before is there still
    expect(await editorText("query")).toContain('company(accountNumber: "620547")');
  });

  test("opens with the first question, runs it and shows the answer", async () => {
    await useToken(token);
    await page.getByText("Token accepted.").waitFor();

    const answered = page.waitForResponse((response) => response.url() === new URL("graphql", base).href);
    await page.getByRole("button", { name: /^Execute query/ }).click();
    const response = await answered;
    const { data, errors } = (await response.json()) as { data: { company: { name: string } }; errors?: unknown };

    expect(errors).toBeUndefined();
    expect(response.request().headers().authorization).toBe(`Bearer ${token}`);
    await page.locator(".result-window").getByText(`"${data.company.name}"`).waitFor();
  });

  test("follows a subscription until it is stopped", async () => {
    await useToken(token);
    await page.getByText("Token accepted.").waitFor();
    await page.locator(".graphiql-query-editor .CodeMirror").click();
    await page.keyboard.press("Control+A");
    await page.keyboard.insertText("subscription { syncProgress { id phase } }");

    const opened = page.waitForResponse((response) => response.url() === new URL("graphql", base).href);
    await page.keyboard.press("Control+Enter");
    const response = await opened;
    expect(response.request().headers().authorization).toBe(`Bearer ${token}`);
    expect(response.headers()["content-type"]).toContain("text/event-stream");
    if (given === undefined) {
      await page.locator(".result-window").getByText('"reading devices"').waitFor();
    }

    await page.getByRole("button", { name: /^Stop query/ }).click();
    await page.getByRole("button", { name: /^Execute query/ }).waitFor();
  });

  test("shows the schema", async () => {
    await useToken(token);
    await page.getByText("Token accepted.").waitFor();
    await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
    await page.locator(".graphiql-doc-explorer").getByText("Query", { exact: true }).click();
    await page.locator(".graphiql-doc-explorer").getByRole("link", { name: "company", exact: true }).waitFor();
    if (given !== undefined) {
      await page.getByText("The company with that account number; null where there is none.").waitFor();
    }
  });

  test("says plainly that the server refuses a token, and takes a better one", async () => {
    await useToken("wrong");
    const alert = page.getByRole("alert");
    await alert.waitFor();
    expect(await alert.innerText()).toContain("does not accept this token (401)");

    await useToken(token);
    await page.getByText("Token accepted.").waitFor();
    expect(await alert.count()).toBe(0);
  });

  test("keeps the token in this tab alone, until it is told to forget it", async () => {
    await useToken(token);
    await page.getByText("Token accepted.").waitFor();
    await page.reload();
    await page.getByText("Token accepted.").waitFor();
    expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain(token);
    expect(await context.cookies()).toEqual([]);

    await page.getByRole("button", { name: "Forget it" }).click();
    await page.getByText("Queries need a token").waitFor();
    expect(await page.evaluate(() => JSON.stringify(sessionStorage))).not.toContain(token);
  });
});

test("the playground needs no token where the browser has a session", async () => {
  if (given === undefined) {
    await context.addCookies([{ name: "codex_session", value: token, url: base, httpOnly: true, sameSite: "Strict" }]);
  } else {
    expect((await context.request.post(new URL("session", base).href, { data: { token } })).status()).toBe(200);
  }
  await openPlayground();
  await page.getByText("No token is needed.").waitFor();

  const answered = page.waitForResponse((response) => response.request().postData()?.includes("company(") ?? false);
  await page.getByRole("button", { name: /^Execute query/ }).click();
  const response = await answered;
  expect(response.request().headers().authorization).toBeUndefined();
  const { errors } = (await response.json()) as { errors?: unknown };
  expect(errors).toBeUndefined();

  await context.clearCookies(); // the session is over
  await page.getByRole("button", { name: /^Execute query/ }).click();
  await page.getByRole("alert").getByText("Queries need a token").waitFor();
});

test("the landing page leads to the playground", async () => {
  await page.goto(base);
  await page.getByRole("link", { name: /^Playground/ }).click();
  await page.waitForURL(new URL("playground", base).href);
  await page.getByText("Queries need a token").waitFor();
});
