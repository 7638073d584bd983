import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";

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

async function useToken(value: string): Promise<void> {
  await page.getByLabel("Token", { exact: true }).fill(value);
  await page.getByRole("button", { name: "Use token" }).click();
}

describe("the playground", () => {
  beforeEach(async () => {
    await page.goto(new URL("playground", base).href);
  });

  test("asks for a token before it asks the server anything", async () => {
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await page.reload({ waitUntil: "networkidle" });

    expect(await page.getByRole("status").innerText()).toContain("Queries need a token");
    expect(asked.filter((path) => path.endsWith("/graphql"))).toEqual([]);
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

test("the landing page leads to the playground", async () => {
  await page.goto(base);
  await page.getByRole("link", { name: /^Playground/ }).click();
  await page.waitForURL(new URL("playground", base).href);
  await page.getByText("Queries need a token").waitFor();
});
