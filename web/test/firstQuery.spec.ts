import { expect, test } from "vitest";

import { firstQuery } from "../src/playground/firstQuery";

test("the first query asks for the tickets of the current year of UTC", () => {
  expect(firstQuery(new Date("2031-12-31T23:59:59Z"))).toContain("tickets(year: 2031) {");
  expect(firstQuery(new Date("2031-12-31T23:59:59-05:00"))).toContain("tickets(year: 2032) {");
});
