/**
 * The settings of a LoRA adapter, from its `adapter_config.json`.
 *
 * Modules have the names of the tuned model, as in the adapter's tensors:
 * `model.layers.0.self_attn.q_proj` in the original layout. Source:
 * `check_target_module_exists` and `get_pattern_key` of huggingface/peft.
 *
 * @module
 */

import * as v from "valibot";
import { Count, orDefault, parseFields, Positive } from "./fields.ts";

/** The settings of an adapter. */
export interface AdapterConfig {
  /** Path or repository of the base model; undefined if not stated. */
  readonly baseModel: string | undefined;
  /** True if its own head replaces that of the base. */
  readonly savesHead: boolean;
  /** Returns true if a module is adapted. */
  targets(module: string): boolean;
  /** Returns the rank of a module's adapter. */
  rankOf(module: string): number;
  /** Returns the factor of a module's product, alpha / rank. */
  scaleOf(module: string): number;
}

/** Name of the head in `modules_to_save`. */
const HEAD = "lm_head";

/** Fields of variants that are not supported; each must be unset. */
const VARIANTS: ReadonlyMap<string, string> = new Map([
  ["use_dora", "DoRA"],
  ["use_qalora", "QALoRA"],
  ["use_bdlora", "BD-LoRA"],
  ["lora_bias", "a bias of LoRA"],
  ["fan_in_fan_out", "a base with transposed weights"],
  ["layer_replication", "replicated layers"],
  ["trainable_token_indices", "tuned embeddings of tokens"],
  ["target_parameters", "adapted parameters without a module"],
  ["alora_invocation_tokens", "activated LoRA"],
  ["arrow_config", "Arrow routing"],
  ["kasa_config", "KaSA"],
  ["monteclora_config", "MonteCLoRA"],
  ["velora_config", "VeLoRA"],
]);

/** Initializations that also change the base's weights. */
const CHANGED_BASE = /^(pissa|olora|corda|loftq|lora_ga)/;

const Names = v.union(
  [v.string(), v.array(v.string())],
  "expected a regular expression or a list of names",
);

const Fields = v.looseObject({
  peft_type: v.string(),
  base_model_name_or_path: v.nullish(v.string()),
  r: orDefault(Count, 8),
  lora_alpha: orDefault(Positive, 8),
  use_rslora: orDefault(v.boolean(), false),
  bias: orDefault(v.string(), "none"),
  target_modules: Names,
  exclude_modules: v.nullish(Names),
  layers_to_transform: v.nullish(
    v.union([v.number(), v.array(v.number())], "expected numbers of layers"),
  ),
  layers_pattern: v.nullish(Names),
  rank_pattern: orDefault(v.record(v.string(), Count), {}),
  alpha_pattern: orDefault(v.record(v.string(), Positive), {}),
  modules_to_save: v.nullish(v.array(v.string())),
  init_lora_weights: v.nullish(v.unknown()),
});

/**
 * Parses an `adapter_config.json`.
 *
 * @throws {SyntaxError} If a field is invalid, or selects an unsupported
 * variant.
 */
export function parseAdapterConfig(json: unknown): AdapterConfig {
  const fields = parseFields(Fields, json);
  refuseVariants(fields);
  const targeted = moduleTest(fields.target_modules, "target_modules");
  const excluded = fields.exclude_modules
    ? moduleTest(fields.exclude_modules, "exclude_modules")
    : () => false;
  const inLayers = layerTest(fields);
  const ranks = patternReader(fields.rank_pattern, "rank_pattern");
  const alphas = patternReader(fields.alpha_pattern, "alpha_pattern");
  const rankOf = (module: string) => ranks(module) ?? fields.r;
  return {
    baseModel: fields.base_model_name_or_path ?? undefined,
    savesHead: fields.modules_to_save?.includes(HEAD) ?? false,
    targets: (module) =>
      targeted(module) && inLayers(module) && !excluded(module),
    rankOf,
    scaleOf: (module) => {
      const rank = rankOf(module);
      const alpha = alphas(module) ?? fields.lora_alpha;
      return alpha / (fields.use_rslora ? Math.sqrt(rank) : rank);
    },
  };
}

function refuseVariants(fields: v.InferOutput<typeof Fields>): void {
  const { peft_type: type, bias, init_lora_weights: start } = fields;
  if (type !== "LORA") {
    throw new SyntaxError(
      `field "peft_type": "${type}" is not supported, only "LORA" is`,
    );
  }
  if (bias !== "none") {
    throw new SyntaxError(
      `field "bias": "${bias}" is not supported; tune with bias "none"`,
    );
  }
  for (const [field, name] of VARIANTS) {
    if (!isSet(fields[field])) continue;
    throw new SyntaxError(
      `field "${field}": ${name} is not supported; tune without it`,
    );
  }
  const other = fields.modules_to_save?.find((name) => name !== HEAD);
  if (other !== undefined) {
    throw new SyntaxError(
      `field "modules_to_save": "${other}" is not supported, only "${HEAD}" is`,
    );
  }
  if (typeof start === "string" && CHANGED_BASE.test(start)) {
    throw new SyntaxError(
      `field "init_lora_weights": "${start}" changes the base model; convert it to a plain LoRA when saving`,
    );
  }
}

function isSet(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

/** Returns the predicate of a list of name endings or a regular expression. */
function moduleTest(
  names: string | readonly string[],
  field: string,
): (module: string) => boolean {
  if (typeof names !== "string") {
    return (module) =>
      names.some((name) => module === name || module.endsWith(`.${name}`));
  }
  if (names.toLowerCase() === "all-linear") return () => true;
  const pattern = regularExpression(`^(?:${names})$`, field);
  return (module) => pattern.test(module);
}

/**
 * Returns the predicate of a module's layer; only lists of targets have one.
 */
function layerTest(
  fields: v.InferOutput<typeof Fields>,
): (module: string) => boolean {
  const layers = [fields.layers_to_transform ?? []].flat();
  if (layers.length === 0 || typeof fields.target_modules === "string") {
    return () => true;
  }
  const given = [fields.layers_pattern ?? []].flat();
  const parents = given.length === 0 ? ["[^.]*"] : given;
  const patterns = parents.map((parent) =>
    regularExpression(`^(?:.*?\\.)?(?:${parent})\\.(\\d+)\\.`, "layers_pattern")
  );
  return (module) => {
    const found = patterns.map((pattern) => pattern.exec(module))
      .find((match) => match !== null);
    return found !== undefined && layers.includes(Number(found.at(-1)));
  };
}

/**
 * Returns a function that looks up the value of the first pattern that matches
 * the end of a module's name.
 */
function patternReader(
  values: Readonly<Record<string, number>>,
  field: string,
): (module: string) => number | undefined {
  const patterns = Object.entries(values).map(([name, value]) => ({
    pattern: regularExpression(`^(?:.*\\.)?(?:${name})$`, field),
    value,
  }));
  return (module) =>
    patterns.find(({ pattern }) => pattern.test(module))?.value;
}

/**
 * Compiles a Python regular expression.
 *
 * @throws {SyntaxError} If it is invalid, or uses syntax that only Python has.
 */
function regularExpression(source: string, field: string): RegExp {
  try {
    return new RegExp(source.replaceAll("(?P<", "(?<"));
  } catch (cause) {
    throw new SyntaxError(
      `field "${field}": "${source}" is not a supported regular expression; list the modules instead`,
      { cause },
    );
  }
}
