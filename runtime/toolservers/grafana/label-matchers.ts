import { ToolFailure } from "../define-tool.ts";
import type { TokenReader } from "./promql-tokens.ts";
import { QueryRegex } from "./query-regex.ts";

/** Whether labels fit. */
export type LabelTest = (labels: Readonly<Record<string, string>>) => boolean;

/** One matcher such as `status=~"5.."`; a label that is missing counts as empty. */
export function labelMatcher(reader: TokenReader): LabelTest {
  const label = reader.expectKind("name");
  const operator = reader.take().text;
  const value = reader.expectKind("text");
  const of = (labels: Readonly<Record<string, string>>) =>
    Object.hasOwn(labels, label) ? (labels[label] ?? "") : "";
  switch (operator) {
    case "=":
      return (labels) => of(labels) === value;
    case "!=":
      return (labels) => of(labels) !== value;
    case "=~": {
      const regex = new QueryRegex(value, "whole");
      return (labels) => regex.test(of(labels));
    }
    case "!~": {
      const regex = new QueryRegex(value, "whole");
      return (labels) => !regex.test(of(labels));
    }
    default:
      throw new ToolFailure(`"${operator}" is no matcher of labels; use =, !=, =~ or !~`);
  }
}

/** Matchers between braces, the opening one already taken. */
export function labelMatchers(reader: TokenReader): LabelTest {
  const tests: LabelTest[] = [];
  while (!reader.skip("}")) {
    tests.push(labelMatcher(reader));
    if (!reader.skip(",")) {
      reader.expect("}");
      break;
    }
  }
  return (labels) => tests.every((test) => test(labels));
}
