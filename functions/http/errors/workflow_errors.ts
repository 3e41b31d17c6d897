/**
 * The errors of workflows; `problem.ts` gives each a status.
 *
 * @module
 */

import { Emu3Error } from "../../../lib/errors.ts";

/** A workflow, or codes of one, that does not exist for this caller. */
export class UnknownWorkflowError extends Emu3Error {
  /**
   * Creates the error.
   *
   * @param message Description of the fault; by default that of an unknown id.
   */
  constructor(
    message =
      "Cannot find workflow: it does not exist, or was removed a day after its end",
  ) {
    super("unknown-workflow", message);
  }
}

/** A workflow that was canceled while its caller waited for the output. */
export class WorkflowCanceledError extends Emu3Error {
  /** Creates the error. */
  constructor() {
    super(
      "workflow-canceled",
      "Cannot return output: the workflow is canceled",
    );
  }
}

/** A workflow that failed without a problem document of its own. */
export class WorkflowFailedError extends Emu3Error {
  /**
   * Creates the error.
   *
   * @param reason Reason of the failure.
   */
  constructor(reason: string) {
    super("workflow-failed", `Cannot finish workflow: ${reason}`);
  }
}

/** A workflow engine that is not reached, or does not answer as expected. */
export class WorkflowsUnavailableError extends Emu3Error {
  /** Retry-After seconds. */
  readonly retryAfterSeconds = 5;

  /**
   * Creates the error.
   *
   * @param reason Reason of the failure.
   */
  constructor(reason: string, options?: ErrorOptions) {
    super("workflows-unavailable", `Cannot use workflows: ${reason}`, options);
  }
}
