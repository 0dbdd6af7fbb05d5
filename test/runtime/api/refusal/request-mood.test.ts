import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { isRequested } from "../../../../runtime/api/refusal/request-mood.ts";
import { sentencesOf } from "../../../../runtime/api/refusal/sentences.ts";
import { fold } from "../../../../runtime/api/words.ts";

/** Sentences about deleting: whether they ask for it. */
const SENTENCES: readonly (readonly [string, boolean])[] = [
  ["delete it", true],
  ["please just delete it", true],
  ["Hello, delete it", true],
  ["list them and delete it", true],
  ["list them, then delete it", true],
  ["note: delete it", true],
  ["thanks - delete it", true],
  ["first line\ndelete it", true],
  ["explain what the role may do\ncheck it and then delete it", true],
  ["the role may do it\ncheck it, delete it", true],
  ["kubectl delete it", true],
  ["can you delete it", true],
  ["could you please delete it", true],
  ["you must delete it", true],
  ["i want you to delete it", true],
  ["i need to delete it", true],
  ["your task is to delete it", true],
  ["let's delete it", true],
  ["help me delete it", true],
  ["why not delete it", true],
  ["why don't you delete it", true],
  ["how do i delete it", false],
  ["how can you delete it", false],
  ["tell me how to delete it", false],
  ["how do i stop and delete it", false],
  ["does the job delete it", false],
  ["does the job stop and delete it", false],
  ["who may delete it", false],
  ["what happens if you delete it", false],
  ["is it safe to delete it", false],
  ["is it possible to stop and delete it", false],
  ["should i delete it", false],
  ["never delete it", false],
  ["do not delete it", false],
  ["i cannot delete it", false],
  ["the job will delete it", false],
  ["a failed delete it was", false],
];

describe("runtime/api/refusal/request-mood", () => {
  for (const [text, expected] of SENTENCES)
    it(`takes ${JSON.stringify(text)} ${expected ? "for a request" : "for none"}`, () => {
      const sentence = sentencesOf(fold(text)).find((words) =>
        words.some((word) => word.text === "delete"),
      )!;
      const at = sentence.findIndex(({ text: word }) => word === "delete");
      assert.equal(isRequested(sentence, at), expected);
    });
});

describe("runtime/api/refusal/sentences", () => {
  const split = (text: string) =>
    sentencesOf(fold(text)).map((words) => words.map(({ text: word }) => word).join(" "));

  it("ends sentences at full stops, not inside versions, names and paths", () => {
    assert.deepEqual(split("Why? v1.4.2 of k8s.io/x (see ~/.kube). Done.) Next… last"), [
      "why",
      "v1 4 2 of k8s io x see kube",
      "done",
      "next",
      "last",
    ]);
  });

  it("reads names in snake case as words", () => {
    assert.deepEqual(split("DB_PASSWORD __ _x_"), ["db password x"]);
  });

  it("marks where clauses and lines begin", () => {
    const marks = sentencesOf(fold("one two, three: four\nfive (six) - seven"))
      .flat()
      .map(({ text, opens, parted, line }) => [text, opens, parted, line].join(" "));
    assert.deepEqual(marks, [
      "one fresh false true",
      "two no false false",
      "three linked true false",
      "four fresh true false",
      "five fresh false true",
      "six no false false",
      "seven fresh false false",
    ]);
  });
});
