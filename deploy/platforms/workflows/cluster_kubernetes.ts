/**
 * The cluster on Kubernetes: its files, and the steps to deploy them.
 *
 * @module
 */

import { OptionsError } from "../options.ts";
import { kubernetesSecretSteps, type Rendering, yaml } from "../platform.ts";
import {
  type ClusterOptions,
  NODE_PORTS,
  serviceName,
} from "./cluster_options.ts";
import {
  chainDocuments,
  registrationDocument,
  registrationName,
} from "./kubernetes_chains.ts";
import { IDENTITY_STEPS } from "./identity_key.ts";
import { networkDocuments } from "./kubernetes_network.ts";
import { nodeDocuments } from "./kubernetes_nodes.ts";
import { snapshotStore, storeSecretLiterals } from "./snapshot_store.ts";

/** Seconds until the job must have registered the service. */
const REGISTRATION_S = 600;

/**
 * Renders the files of Kubernetes.
 *
 * @throws {OptionsError} If the store's addresses are missing.
 */
export function renderKubernetesCluster(options: ClusterOptions): Rendering {
  if (options.storeCidrs.length === 0) {
    throw new OptionsError(
      "storeCidrs is missing: give the addresses of the object store, so that nodes connect to nothing else, such as --store-cidr 203.0.113.0/24",
    );
  }
  return {
    files: {
      "network.yaml": yaml(
        "The connections of Restate and the chains: no others.",
        ...networkDocuments(options),
      ),
      "restate.yaml": yaml(
        "Restate for the chains of Emu3.",
        ...nodeDocuments(options),
      ),
      "chains.yaml": yaml(
        `The service of the chains, revision ${options.revision}.`,
        ...chainDocuments(options),
      ),
      "register.yaml": yaml(
        "Provisions the cluster and registers the service.",
        registrationDocument(options),
      ),
    },
    steps: steps(options),
  };
}

function steps(options: ClusterOptions): string[] {
  const { name, namespace, storeSecret, emu3Secret } = options;
  const inside = namespace === undefined ? "" : ` --namespace ${namespace}`;
  const create = `kubectl${inside} create secret generic`;
  const store = storeSecretLiterals(snapshotStore(options));
  const emu3 = emu3Secret === undefined ? {} : { EMU3_API_KEY: emu3Secret };
  return [
    ...namespace === undefined ? [] : [`kubectl create namespace ${namespace}`],
    ...IDENTITY_STEPS,
    `${create} ${name}-identity --from-file=identity.pem --from-literal=RESTATE_IDENTITY_KEY="$(cat identity.pub)"`,
    `${create} ${storeSecret} ${store.join(" ")}`,
    ...kubernetesSecretSteps(emu3).map((step) =>
      step.replace("kubectl", `kubectl${inside}`)
    ),
    "kubectl apply -f network.yaml -f restate.yaml -f chains.yaml",
    `kubectl${inside} rollout status deployment/${serviceName(options)}`,
    "kubectl apply -f register.yaml",
    `kubectl${inside} wait --for=condition=complete --timeout=${REGISTRATION_S}s job/${
      registrationName(options)
    }`,
    `kubectl${inside} set env deployment/emu3 WORKFLOWS_URL=http://${name}-ingress:${NODE_PORTS.ingress}`,
  ];
}
