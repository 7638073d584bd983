/**
 * Operations that are ready to run. Each is a file of examples/: its first line has its group and its
 * title, the comment that follows what it is good for, and "variables:" what it is run with.
 */
export interface Example {
  group: string;
  title: string;
  about: string;
  /** The operation, as a tab shows it. */
  query: string;
  /** The operation's name. */
  operation: string;
  /** JSON, in which moments are still to be filled in; empty where it takes no variables. */
  variables: string;
}

const files = import.meta.glob<string>("./examples/*.graphql", { query: "?raw", import: "default", eager: true });

export const examples: Example[] = Object.keys(files)
  .sort()
  .map((name) => parseExample(files[name] ?? ""));

/** Reads a file of examples/. */
export function parseExample(text: string): Example {
  const lines = text.split("\n");
  const begins = lines.findIndex((line) => !line.startsWith("#"));
  const comment = lines.slice(0, begins).map((line) => line.replace(/^# ?/, ""));
  const [heading = "", ...rest] = comment;
  const [group = "", title = ""] = heading.split(": ");
  const variables = rest.find((line) => line.startsWith("variables: ")) ?? "";
  const about = rest.filter((line) => line !== variables);
  return {
    group,
    title,
    about: about.join(" "),
    query: [...about.map((line) => `# ${line}`), ...lines.slice(begins)].join("\n"),
    operation: /^(?:query|mutation|subscription) (\w+)/m.exec(text)?.[1] ?? "",
    variables: variables.replace("variables: ", ""),
  };
}

/**
 * The variables of an example at a moment, as the editor shows them. The moment of the past lies some
 * seconds back, since the hub's clock decides what is past, and not the browser's.
 */
export function variablesAt(variables: string, now: Date): string {
  if (variables === "") {
    return "";
  }
  const justNow = `${new Date(now.getTime() - 5_000).toISOString().slice(0, 19)}Z`;
  const filled = variables
    .replaceAll("{year}", String(now.getUTCFullYear()))
    .replaceAll("{justNow}", justNow);
  return JSON.stringify(JSON.parse(filled), null, 2);
}
