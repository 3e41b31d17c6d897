/**
 * The chains of a test, on a real Restate server, with emulated endpoints.
 *
 * @module
 */

import type { ServiceOptions } from "../../../deploy/workflows/service.ts";
import {
  type Behavior,
  type EmulatedEmu3,
  emulateEmu3,
} from "../../deploy/workflows/emulated_emu3.ts";
import { startChains, type StartedChains } from "./restate_server.ts";

/** A Restate server, and emulated endpoints behind its service. */
export interface EmulatedChains extends AsyncDisposable {
  /** Restate and the service. */
  readonly chains: StartedChains;
  /** Endpoints. */
  readonly emu3: EmulatedEmu3;
}

/** Starts both. */
export async function emulatedChains(
  behavior: Behavior = {},
  options: Partial<ServiceOptions> = {},
): Promise<EmulatedChains> {
  const emu3 = emulateEmu3(behavior);
  const chains = await startChains({ ...options, url: emu3.url });
  return {
    chains,
    emu3,
    [Symbol.asyncDispose]: async () => {
      await chains[Symbol.asyncDispose]();
      await emu3[Symbol.asyncDispose]();
    },
  };
}
