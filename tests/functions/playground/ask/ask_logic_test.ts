import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { questionBody } from "../../../../functions/playground/ask/ask_call.js";
import {
  AskedPictures,
  MAX_PICTURES,
} from "../../../../functions/playground/ask/question_pictures.js";
import { suggestions } from "../../../../functions/playground/ask/questions.js";

const file = new Blob(["x"], { type: "image/png" });

function picture(code: number) {
  const codes = Uint16Array.of(code, code);
  return { title: `${code}`, file, grid: { height: 1, width: 2, codes } };
}

const QUESTION = { question: "What?", temperature: 0, maxTokens: 9 };

Deno.test("AskedPictures stores answers per selection of pictures", () => {
  const pictures = new AskedPictures();
  const [one, two] = [picture(1), picture(2)];
  pictures.add(one);
  const asked = pictures.all;
  pictures.add(two);
  pictures.keep({ question: "a", text: "b", facts: "" }, asked);
  deepStrictEqual(pictures.answers, []);
  pictures.remove(two);
  strictEqual(pictures.answers.length, 1);
  // Equal codes are the same picture, whatever their origin.
  pictures.remove(one);
  pictures.add(picture(1));
  strictEqual(pictures.answers.length, 1);
  pictures.forget();
  deepStrictEqual(pictures.answers, []);
});

Deno.test("AskedPictures identifies pictures without codes by their files", () => {
  const pictures = new AskedPictures();
  const bare = { title: "a", file };
  pictures.add(bare);
  pictures.keep({ question: "a", text: "b", facts: "" }, pictures.all);
  pictures.remove(bare);
  const other = { title: "a", file: new Blob(["x"]) };
  pictures.add(other);
  deepStrictEqual(pictures.answers, []);
  pictures.remove(other);
  pictures.add(bare);
  strictEqual(pictures.answers.length, 1);
});

Deno.test("AskedPictures holds up to the limit of pictures of a question", () => {
  const pictures = new AskedPictures();
  for (let i = 0; i < MAX_PICTURES; i++) ok(pictures.add(picture(i)));
  ok(!pictures.add(picture(99)));
  strictEqual(pictures.all.length, MAX_PICTURES);
});

Deno.test("questionBody() contains codes if all are known, else files", () => {
  deepStrictEqual(questionBody([picture(1), picture(2)], QUESTION), {
    grids: [{ codes: [[1, 1]] }, { codes: [[2, 2]] }],
    question: "What?",
    temperature: 0,
    max_tokens: 9,
  });
  const form = questionBody([picture(1), { title: "", file }], QUESTION);
  ok(form instanceof FormData);
  strictEqual(form.getAll("image").length, 2);
  strictEqual(form.get("max_tokens"), "9");
  strictEqual(form.get("adapter"), null);
  const adapted = { ...QUESTION, adapter: "mine" };
  const codes = questionBody([picture(1)], adapted);
  ok(!(codes instanceof FormData));
  strictEqual(codes["adapter"], "mine");
  const files = questionBody([{ title: "", file }], adapted);
  ok(files instanceof FormData);
  strictEqual(files.get("adapter"), "mine");
});

Deno.test("suggestions() omits questions that were asked", () => {
  const [first = "", ...rest] = suggestions(1, []);
  deepStrictEqual(suggestions(1, [first]), rest);
  ok(!suggestions(2, []).includes(first));
});
