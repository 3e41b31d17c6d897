import {
  deepStrictEqual,
  match,
  ok,
  strictEqual,
  throws,
} from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { UsageError } from "../../../lib/command_line.ts";
import { OptionsError } from "../../../deploy/platforms/options.ts";
import { renderPrepareJob } from "../../../deploy/platforms/prepare_job.ts";
import { parsePrepareJob } from "../../../deploy/platforms/prepare_job_arguments.ts";
import { parseArguments } from "../../../deploy/prepare/arguments.ts";

const LINE = ["--image", "emu3", "--claim", "photos", "--parts", "3"];

/** Renders a job by its command line, and parses it. */
function jobOf(words: readonly string[]) {
  const { options } = parsePrepareJob([...LINE, "--dry-run", ...words]);
  const { files, steps } = renderPrepareJob(options);
  const [document] = parseAllDocuments(files["prepare.yaml"]!);
  return { job: document!.toJS(), steps };
}

Deno.test("renderPrepareJob() assigns each pod a part that the command parses", () => {
  const { job, steps } = jobOf(["--parallel", "2", "--", "--to", "parquet"]);
  strictEqual(job.kind, "Job");
  const { spec } = job;
  deepStrictEqual(
    [spec.completionMode, spec.completions, spec.parallelism],
    ["Indexed", 3, 2],
  );
  const [container] = spec.template.spec.containers;
  for (let index = 0; index < spec.completions; index++) {
    const words = container.args.map((word: string) =>
      word.replace("$(PART)", String(index))
    );
    const parsed = parseArguments(words);
    deepStrictEqual(parsed.part, { index, count: 3 });
    strictEqual(parsed.input, "/data/input");
    strictEqual(parsed.out, "/data/prepared");
    strictEqual(parsed.form, "parquet");
  }
  const [part] = container.env;
  strictEqual(part.name, "PART");
  match(part.valueFrom.fieldRef.fieldPath, /job-completion-index/);
  ok(steps.includes("kubectl apply -f prepare.yaml"));
});

Deno.test("renderPrepareJob() mounts inputs and outputs with least privileges", () => {
  const { job, steps } = jobOf([
    ...["--storage", "models", "--gpu", "--secret", "HF_TOKEN=token"],
  ]);
  const { containers: [container], volumes } = job.spec.template.spec;
  const mounts = container.volumeMounts.map((mount: { name: string }) =>
    mount.name
  );
  deepStrictEqual(mounts, volumes.map(({ name }: { name: string }) => name));
  const writes = container.command.find((word: string) =>
    word.startsWith("--allow-write=")
  );
  strictEqual(writes, "--allow-write=/data,/cache,/tmp");
  strictEqual(container.command.at(-1), "deploy/prepare/main.ts");
  strictEqual(container.resources.limits["nvidia.com/gpu"], "1");
  strictEqual(container.securityContext.readOnlyRootFilesystem, true);
  ok(container.args.join(" ").includes("--model /mnt/models"));
  match(steps[0]!, /kubectl create secret generic token .*HF_TOKEN/);
});

Deno.test("Containerfile keeps the packages of the command that the job runs", async () => {
  const file = new URL("../../../deploy/Containerfile", import.meta.url);
  match(
    await Deno.readTextFile(file),
    /prune\.ts [^&]*deploy\/prepare\/main\.ts/,
  );
});

const MISUSED: readonly [readonly string[], RegExp][] = [
  [["--claim", "a", "--parts", "1"], /--image is missing/],
  [["--image", "a", "--parts", "1"], /--claim is missing/],
  [["--image", "a", "--claim", "a"], /--parts is missing/],
  [LINE, /expected either --dry-run or --out/],
  [[...LINE, "--dry-run", "--parts", "0"], /--parts "0" is no number from 1/],
  [[...LINE, "--dry-run", "--secret", "X=y"], /--secret takes the name/],
  [[...LINE, "--dry-run", "--", "--shard", "0/2"], /--shard is set by the job/],
  [[...LINE, "--dry-run", "--", "--to", "csv"], /--to "csv" is unknown/],
  [[...LINE, "--dry-run", "--frobnicate"], /option --frobnicate/],
];

for (const [line, message] of MISUSED) {
  Deno.test(`deploy prepare-data ${line.join(" ")} is refused`, () => {
    throws(() => parsePrepareJob(line), (error) => {
      match(String(error), message);
      match(String(error), /Usage: deno task deploy prepare-data/);
      return error instanceof UsageError;
    });
  });
}

Deno.test("renderPrepareJob() refuses invalid images and names", () => {
  for (const wrong of [["--image", "A b"], ["--name", "Job_1"]]) {
    throws(() => jobOf(wrong), OptionsError);
  }
});
