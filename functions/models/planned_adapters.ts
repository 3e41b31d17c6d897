/**
 * The adapters of a server: obtained as models are, and opened before any weight
 * is loaded, each for the language models that it fits.
 *
 * @module
 */

import type { NamedAdapter } from "../../lib/decoder/adapter_stack.ts";
import { adapterBase, openAdapter } from "../../lib/loading/adapter_files.ts";
import { modelName } from "../../lib/loading/hub_cache.ts";
import type { ModelPlan, PlannedModels } from "./model_plan.ts";
import type { Obtain } from "./pending_download.ts";
import { namePairs } from "./model_aliases.ts";

/**
 * Sources or folders of adapters by the names that requests use; a source has
 * the forms of a model's.
 */
export type AdapterSources = ReadonlyMap<string, string>;

/** Names that a request can write behind a model's. */
const NAME = /^[\w.-]+$/;

/**
 * Parses `mine=adapters/mine,yours=org/yours@v2`.
 *
 * @throws {SyntaxError} If the text has another form.
 */
export function adapterSources(text: string | undefined): AdapterSources {
  const sources = namePairs(text, {
    name: "adapter",
    both: "names and folders or repositories",
    example: "mine=adapters/mine",
  });
  const odd = [...sources.keys()].find((name) => !NAME.test(name));
  if (odd === undefined) return sources;
  throw new SyntaxError(
    `the name "${odd}" must have letters, digits, ".", "-" and "_" only`,
  );
}

/**
 * Returns the download of adapters: a folder is used as it is, so that its
 * faults are named, and not those of a repository of its name.
 */
export function obtainedAdapter(obtain: Obtain): Obtain {
  return async (source, ...rest) => {
    const isFolder = await Deno.stat(source)
      .then(({ isDirectory }) => isDirectory, () => false);
    return isFolder ? source : await obtain(source, ...rest);
  };
}

/**
 * Returns the plan with the adapters of each language model: those whose base
 * has its name; an adapter whose base has another name is for all models.
 *
 * @param folders Folders of the adapters, on this machine.
 * @throws {CheckpointError} If an adapter cannot be opened, or does not fit a
 * model; names the tensor.
 */
export async function planAdapters(
  plan: ModelPlan,
  folders: AdapterSources = new Map(),
): Promise<ModelPlan> {
  const served = plan.models.filter(({ draws, answers }) => draws || answers);
  const adapters = new Map<PlannedModels, NamedAdapter[]>();
  for (const [name, folder] of folders) {
    for (const planned of modelsOf(await adapterBase(folder), served)) {
      const { folder: base } = planned.language;
      const { config } = await plan.checkpoints.language(base);
      const adapter = await openAdapter(folder, config);
      const known = adapters.get(planned) ?? [];
      adapters.set(planned, [...known, { name, adapter }]);
    }
  }
  const models = plan.models.map((planned) => ({
    ...planned,
    adapters: adapters.get(planned) ?? [],
  }));
  return { ...plan, models };
}

function modelsOf(
  base: string | undefined,
  served: readonly PlannedModels[],
): readonly PlannedModels[] {
  if (base === undefined) return served;
  const name = modelName(base);
  const named = served.filter(({ language }) => language.name === name);
  return named.length > 0 ? named : served;
}

/** Returns the names of a model's adapters. */
export function adapterNames(
  { adapters = [] }: Pick<PlannedModels, "adapters">,
): readonly string[] {
  return adapters.map(({ name }) => name);
}

/** The planned models that a name chooses, and the adapter behind the name. */
export interface Choice {
  /** The models. */
  readonly planned: PlannedModels;
  /** Adapter in a name such as `emu3-mini:mine`; undefined without one. */
  readonly adapter: string | undefined;
}

/**
 * Returns the models of a name, or of the part of it before an adapter's;
 * undefined if there are none. Without a name the first are chosen.
 *
 * @param namesOf Returns the names of planned models.
 */
export function chosenModel(
  name: string | undefined,
  candidates: readonly PlannedModels[],
  namesOf: (planned: PlannedModels) => readonly string[],
): Choice | undefined {
  const find = (name: string | undefined) =>
    candidates.find((planned) =>
      name === undefined || namesOf(planned).includes(name)
    );
  const whole = find(name);
  if (whole !== undefined) return { planned: whole, adapter: undefined };
  const colon = name?.lastIndexOf(":") ?? -1;
  if (name === undefined || colon === -1) return undefined;
  const planned = find(name.slice(0, colon));
  return planned && { planned, adapter: name.slice(colon + 1) };
}
