/**
 * The network policies of the cluster: nothing connects but what must.
 *
 * ```text
 * emu3 servers ─▶ ingress       of nodes
 * nodes        ─▶ nodes, chains, object store
 * chains       ─▶ emu3 servers
 * register     ─▶ nodes         provisioning, admin API, ingress
 * ```
 *
 * @module
 */

import { PORT } from "../platform.ts";
import {
  type ClusterOptions,
  NODE_PORTS,
  SERVICE_PORT,
} from "./cluster_options.ts";
import { metadata, partLabels } from "./kubernetes_nodes.ts";

/** The labels that `task deploy kubernetes` gives to servers. */
const SERVERS = { "app.kubernetes.io/name": "emu3" } as const;

/** Returns the policies. */
export function networkDocuments(options: ClusterOptions): readonly unknown[] {
  const nodes = pods(partLabels(options, "nodes"));
  const chains = pods(partLabels(options, "chains"));
  const register = pods(partLabels(options, "register"));
  const { node, admin, ingress } = NODE_PORTS;
  return [
    policy(options, "nodes", {
      ingress: [
        { from: [nodes], ports: ports(node, ingress, admin) },
        { from: [register], ports: ports(node, ingress, admin) },
        { from: [pods(SERVERS)], ports: ports(ingress) },
      ],
      egress: [
        DNS,
        { to: [nodes], ports: ports(node, ingress, admin) },
        { to: [chains], ports: ports(SERVICE_PORT) },
        {
          to: blocks(options.storeCidrs),
          ports: ports(portOf(options.storeEndpoint ?? "https://store")),
        },
      ],
    }),
    policy(options, "chains", {
      ingress: [{ from: [nodes], ports: ports(SERVICE_PORT) }],
      egress: [
        DNS,
        options.emu3Cidrs.length === 0
          // A policy sees the port of the pod, not that of its service.
          ? { to: [pods(SERVERS)], ports: ports(PORT) }
          : {
            to: blocks(options.emu3Cidrs),
            ports: ports(portOf(options.emu3Url)),
          },
      ],
    }),
    policy(options, "register", {
      ingress: [],
      egress: [DNS, { to: [nodes], ports: ports(node, ingress, admin) }],
    }),
  ];
}

/** Names of services, from the cluster's own name servers. */
const DNS = {
  to: [{
    namespaceSelector: {
      matchLabels: { "kubernetes.io/metadata.name": "kube-system" },
    },
  }],
  ports: [{ protocol: "UDP", port: 53 }, { protocol: "TCP", port: 53 }],
} as const;

function policy(
  options: ClusterOptions,
  part: string,
  rules: Readonly<Record<"ingress" | "egress", readonly unknown[]>>,
) {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: metadata(options, part, `${options.name}-${part}`),
    spec: {
      podSelector: { matchLabels: partLabels(options, part) },
      policyTypes: ["Ingress", "Egress"],
      ...rules,
    },
  };
}

function pods(matchLabels: Readonly<Record<string, string>>) {
  return { podSelector: { matchLabels } };
}

function blocks(cidrs: readonly string[]) {
  return cidrs.map((cidr) => ({ ipBlock: { cidr } }));
}

function ports(...numbers: number[]) {
  return numbers.map((port) => ({ protocol: "TCP", port }));
}

function portOf(url: string): number {
  const { port, protocol } = new URL(url);
  return port === "" ? protocol === "https:" ? 443 : 80 : Number(port);
}
