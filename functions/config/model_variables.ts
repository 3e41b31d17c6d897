/**
 * The environment variables of models: sources, names, caches and the hub.
 *
 * @module
 */

import { modelAliases } from "../models/model_aliases.ts";
import { adapterSources } from "../models/planned_adapters.ts";
import {
  publicUrl,
  source,
  type Variable,
  verification,
} from "./variable_parsers.ts";

/** The variables, in the order that `--help` lists them. */
export const MODEL_VARIABLES = {
  MODEL: source("language model for both drawing and answering"),
  GEN_MODEL: source(
    "language model for drawing",
    "MODEL if set, else the embedded emu3-mini",
  ),
  CHAT_MODEL: source(
    "language model for answering",
    "MODEL if set, else the embedded emu3-mini",
  ),
  CLIP_MODEL: source(
    "language model for clips, opened by the first request for one",
    "the embedded emu3-mini-clips beside emu3-mini, else the model for drawing",
  ),
  VISION_MODEL: source(
    "vision tokenizer",
    "the one in the language model's folder, else the folder beside it (…VisionTokenizer)",
  ),
  MODEL_ALIASES: {
    meaning:
      "additional model names, separated by commas: gpt-image-1=emu3-mini,dall-e-3=emu3-mini",
    fallback: "none; models are named after their folders",
    parse: modelAliases,
  },
  ADAPTERS: {
    meaning:
      "LoRA adapters by name, separated by commas, in folders or at a source as of MODEL: mine=adapters/mine,yours=org/yours@v2",
    fallback: "none",
    parse: adapterSources,
  },
  MODEL_DIR: {
    meaning: "folder of models, by name, searched first",
    fallback: "/mnt/models and /repository, where mounted",
    parse: (text) => text,
  },
  MODEL_CACHE: {
    meaning: "Hugging Face cache that downloads are written to",
    fallback: "HF_HUB_CACHE",
    parse: (text) => text,
  },
  HF_HUB_CACHE: {
    meaning: "Hugging Face cache that is searched for downloaded models",
    fallback: "the folder hub in HF_HOME",
    parse: (text) => text,
  },
  HF_HOME: {
    meaning: "home folder of Hugging Face tools, with their cache and token",
    fallback: "huggingface in the user's cache folder",
    parse: (text) => text,
  },
  HF_ENDPOINT: {
    meaning: "hub that org/name models are downloaded from",
    fallback: "https://huggingface.co",
    parse: publicUrl,
  },
  HF_TOKEN: {
    meaning: "access token for private or gated repositories",
    fallback:
      "the contents of HF_TOKEN_PATH, else of the file token in HF_HOME",
    parse: (text) => text,
  },
  HF_HUB_OFFLINE: {
    meaning: "1 to use local models only, without downloads from a hub",
    fallback: "0, missing models are downloaded",
    parse: (text) => text,
  },
  VERIFY: {
    meaning: "full to verify the hashes of all downloaded files at start",
    fallback: "file sizes and modification times are compared",
    parse: verification,
  },
} as const satisfies Record<string, Variable<unknown>>;
