import { expect, test } from "vitest";
import { Kind, parse } from "graphql";

import { examples, parseExample, variablesAt } from "../src/playground/examples";

test("an example has its group, its title and what it is good for in its first lines", () => {
  expect(parseExample('# Lists: all of them\n# By twos.\n# Or more.\n# variables: {"n": 2}\nquery All {\n  a\n}\n')).toEqual({
    group: "Lists",
    title: "all of them",
    about: "By twos. Or more.",
    query: "# By twos.\n# Or more.\nquery All {\n  a\n}\n",
    operation: "All",
    variables: '{"n": 2}',
  });
});

test("variables are of the moment at which an example is opened", () => {
  const now = new Date("2031-12-31T23:30:00-05:00");
  expect(variablesAt('{"year": {year}, "at": "{justNow}", "after": null}', now)).toBe(
    '{\n  "year": 2032,\n  "at": "2032-01-01T04:29:55Z",\n  "after": null\n}',
  );
  expect(variablesAt("", now)).toBe("");
});

test.each(examples)("$group: $title is complete", (example) => {
  const [operation] = parse(example.query).definitions;
  expect(operation?.kind).toBe(Kind.OPERATION_DEFINITION);
  expect(example.operation).toMatch(/^\w+$/);
  expect(example.about).toMatch(/\.$/);
  const declared = operation?.kind === Kind.OPERATION_DEFINITION ? (operation.variableDefinitions ?? []) : [];
  const filled = JSON.parse(variablesAt(example.variables, new Date()) || "{}") as Record<string, unknown>;
  expect(Object.keys(filled).sort()).toEqual(declared.map(({ variable }) => variable.name.value).sort());
});

test("no two examples have one title", () => {
  expect(new Set(examples.map(({ title }) => title)).size).toBe(examples.length);
});
