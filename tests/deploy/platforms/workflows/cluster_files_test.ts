/**
 * The laws of the files of a cluster, on both platforms.
 *
 * @module
 */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { parse as parseToml } from "smol-toml";
import { parseAllDocuments } from "yaml";
import {
  parseClusterArguments,
  renderCluster,
} from "../../../../deploy/platforms/workflows/cluster_arguments.ts";

const LINE = [
  ...["--image", "r.example.org/emu3-workflows:1", "--dry-run"],
  ...["--snapshots", "s3://bucket/emu3", "--store-cidr", "203.0.113.0/24"],
];

// deno-lint-ignore no-explicit-any -- documents of Kubernetes and Compose
type Document = any;

/** Renders a cluster by its command line. */
function render(platform: string, ...words: string[]) {
  const parsed = parseClusterArguments([platform, ...LINE, ...words]);
  ok(parsed.type === "render");
  return renderCluster(parsed.platform, parsed.options);
}

/** Returns the documents of all files of Kubernetes. */
function documents(...words: string[]): Document[] {
  const { files } = render("kubernetes", ...words);
  return Object.values(files).flatMap((text) =>
    parseAllDocuments(text).map((document) => document.toJS())
  );
}

function ofKind(kind: string, ...words: string[]): Document[] {
  return documents(...words).filter((document) => document.kind === kind);
}

function compose(...words: string[]): Document {
  const { files } = render("compose", ...words);
  return parseAllDocuments(files["compose.yaml"]!)[0]!.toJS();
}

/** Returns the parsed configuration of the nodes on a platform. */
function configuration(platform: string, ...words: string[]): Document {
  const { files } = render(platform, ...words);
  return parseToml(
    files["restate.toml"] ??
      ofKind("ConfigMap", ...words)[0].data["restate.toml"],
  );
}

for (const platform of ["kubernetes", "compose"]) {
  Deno.test(`${platform}: nodes replicate, write snapshots and found no cluster of their own`, () => {
    const config = configuration(platform, "--store-region", "eu-central-1");
    strictEqual(config["auto-provision"], false);
    strictEqual(config["default-replication"], 2);
    strictEqual(config["disable-telemetry"], true);
    strictEqual(config["metadata-server"].type, "replicated");
    strictEqual(config["metadata-client"].addresses.length, 3);
    strictEqual(config.bifrost["default-provider"], "replicated");
    const { snapshots } = config.worker;
    strictEqual(snapshots.destination, "s3://bucket/emu3");
    strictEqual(snapshots["aws-region"], "eu-central-1");
    ok(snapshots["snapshot-interval"] && snapshots["num-retained"] > 0);
  });

  Deno.test(`${platform}: the memory that nodes are configured with leaves a quarter of their limit`, () => {
    fc.assert(
      fc.property(fc.integer({ min: 512, max: 65_536 }), (mib) => {
        const config = configuration(platform, "--memory-mib", String(mib));
        const shares = [
          config["rocksdb-total-memory-size"],
          config.bifrost["record-cache-memory-size"],
          config.worker["data-service-memory-limit"],
          config.worker.invoker["memory-limit"],
          config.admin["query-engine"]["memory-size"],
        ].map((text) => Number(/^(\d+) MiB$/.exec(text)![1]));
        ok(shares.every((share) => share > 0));
        ok(shares.reduce((sum, share) => sum + share) <= 0.75 * mib);
      }),
      { numRuns: 10 },
    );
  });

  Deno.test(`${platform}: steps name only rendered files, and files hold no secret`, () => {
    const { files, steps } = render(platform, "--emu3-secret", "emu3-key");
    const own = ["identity.pem", "identity.pub"];
    for (const step of steps) {
      for (const name of step.match(/[\w-]+\.(yaml|toml|pem|pub)\b/g) ?? []) {
        ok(name in files || own.includes(name), name);
      }
    }
    match(steps.join("\n"), /EMU3_API_KEY/);
    match(steps.join("\n"), /AWS_SECRET_ACCESS_KEY/);
    for (const text of Object.values(files)) {
      ok(!/PRIVATE KEY|publickeyv1/.test(text));
    }
  });

  Deno.test(`${platform}: equal options render equal files`, () => {
    deepStrictEqual(render(platform), render(platform));
  });
}

Deno.test("kubernetes: three nodes on machines of their own, of which one at a time is evicted", () => {
  const [set] = ofKind("StatefulSet");
  strictEqual(set.spec.replicas, 3);
  strictEqual(set.spec.podManagementPolicy, "Parallel");
  const pod = set.spec.template.spec;
  const [rule] = pod.affinity.podAntiAffinity
    .requiredDuringSchedulingIgnoredDuringExecution;
  strictEqual(rule.topologyKey, "kubernetes.io/hostname");
  const labels = set.spec.template.metadata.labels;
  deepStrictEqual(rule.labelSelector.matchLabels, labels);
  const budget = ofKind("PodDisruptionBudget").find((document) =>
    document.spec.selector.matchLabels["app.kubernetes.io/component"] ===
      "nodes"
  );
  strictEqual(budget.spec.maxUnavailable, 1);
  const [container] = pod.containers;
  strictEqual(container.resources.limits.memory, "2048Mi");
  strictEqual(container.securityContext.readOnlyRootFilesystem, true);
  ok(
    pod.terminationGracePeriodSeconds >
      parseInt(configuration("kubernetes")["shutdown-timeout"]),
  );
});

Deno.test("kubernetes: nodes find each other at the addresses that they advertise", () => {
  const [set] = ofKind("StatefulSet");
  const [container] = set.spec.template.spec.containers;
  const values = Object.fromEntries(
    container.env.map(({ name, value }: Document) => [name, value]),
  );
  const advertised = [0, 1, 2].map((index) =>
    values.RESTATE_ADVERTISED_ADDRESS
      .replace("$(POD)", `${set.metadata.name}-${index}`)
  );
  deepStrictEqual(
    configuration("kubernetes")["metadata-client"].addresses,
    advertised,
  );
  const headless = ofKind("Service").find((document) =>
    document.metadata.name === set.spec.serviceName
  );
  strictEqual(headless.spec.clusterIP, "None");
  strictEqual(headless.spec.publishNotReadyAddresses, true);
});

Deno.test("kubernetes: mounts, volumes, ports and selectors refer to what is there", () => {
  const all = documents();
  for (const document of all) {
    const { template } = document.spec ?? {};
    if (template === undefined) continue;
    const claims = document.spec.volumeClaimTemplates ?? [];
    const volumes = [
      ...template.spec.volumes,
      ...claims.map(({ metadata }: Document) => metadata),
    ].map(({ name }) => name);
    for (
      const container of [
        ...template.spec.containers,
        ...template.spec.initContainers ?? [],
      ]
    ) {
      for (const { name } of container.volumeMounts) {
        ok(volumes.includes(name), name);
      }
      const ports = (container.ports ?? []).map(({ name }: Document) => name);
      for (const probe of ["readinessProbe", "livenessProbe"]) {
        const target = container[probe]?.httpGet ?? container[probe]?.tcpSocket;
        if (target !== undefined) ok(ports.includes(target.port));
      }
    }
  }
  const labels = all.flatMap((document) =>
    document.spec?.template?.metadata.labels ?? []
  );
  const matches = (selector: Record<string, string>) =>
    labels.some((set) =>
      Object.entries(selector).every(([name, value]) => set[name] === value)
    );
  for (const { spec } of ofKind("Service")) ok(matches(spec.selector));
  for (const { spec } of ofKind("NetworkPolicy")) {
    ok(matches(spec.podSelector.matchLabels));
  }
});

Deno.test("kubernetes: nodes connect to the store, to each other, to chains and to names only", () => {
  const [nodes, chains, register] = ofKind("NetworkPolicy");
  const targets = (policy: Document) =>
    policy.spec.egress.map(({ to: [to], ports: [port] }: Document) => [
      to.ipBlock?.cidr ??
        to.podSelector?.matchLabels["app.kubernetes.io/component"] ??
        to.podSelector?.matchLabels["app.kubernetes.io/name"] ?? "names",
      port.port,
    ]);
  deepStrictEqual(targets(nodes), [
    ["names", 53],
    ["nodes", 5122],
    ["chains", 9080],
    ["203.0.113.0/24", 443],
  ]);
  deepStrictEqual(targets(chains), [["names", 53], ["emu3", 8080]]);
  deepStrictEqual(targets(register), [["names", 53], ["nodes", 5122]]);
  const admins = nodes.spec.ingress.filter(({ ports }: Document) =>
    ports.some(({ port }: Document) => port === 9070)
  ).map(({ from: [from] }: Document) =>
    from.podSelector.matchLabels["app.kubernetes.io/component"]
  );
  deepStrictEqual(admins, ["nodes", "register"]);
  const [set] = ofKind("StatefulSet");
  deepStrictEqual(set.spec.template.spec.hostAliases, [
    { ip: "127.0.0.1", hostnames: ["api.github.com"] },
  ]);
});

Deno.test("kubernetes: a store and a server elsewhere are reached at their own ports", () => {
  const [nodes, chains] = ofKind(
    "NetworkPolicy",
    ...["--store-endpoint", "http://minio:9000"],
    ...["--emu3-url", "https://emu3.example.org"],
    ...["--emu3-cidr", "198.51.100.0/24"],
  );
  strictEqual(nodes.spec.egress.at(-1).ports[0].port, 9000);
  deepStrictEqual(chains.spec.egress.at(-1), {
    to: [{ ipBlock: { cidr: "198.51.100.0/24" } }],
    ports: [{ protocol: "TCP", port: 443 }],
  });
});

Deno.test("kubernetes: the job provisions by one node and waits for every ingress", () => {
  const [job] = ofKind("Job", "--revision", "2");
  strictEqual(job.metadata.name, "emu3-workflows-register-2");
  const { initContainers: [provision], containers: [register] } =
    job.spec.template.spec;
  strictEqual(
    provision.command.at(-1),
    "http://emu3-workflows-0.emu3-workflows-nodes:5122",
  );
  deepStrictEqual(register.args, [
    "http://emu3-workflows-chains-2:9080",
    "http://emu3-workflows-admin:9070",
    ...[0, 1, 2].map((index) =>
      `http://emu3-workflows-${index}.emu3-workflows-nodes:8080`
    ),
  ]);
});

Deno.test("kubernetes: two revisions of the service run beside each other", () => {
  const [one, two] = ["1", "2"].map((revision) =>
    ofKind("Deployment", "--revision", revision)[0]
  );
  strictEqual(one.metadata.name, "emu3-workflows-chains-1");
  strictEqual(two.metadata.name, "emu3-workflows-chains-2");
  const selectors = [one, two].map(({ spec }) =>
    JSON.stringify(spec.selector.matchLabels)
  );
  strictEqual(new Set(selectors).size, 2);
  const nodes = ["1", "2"].map((revision) =>
    ofKind("StatefulSet", "--revision", revision)
  );
  deepStrictEqual(nodes[0], nodes[1]);
});

Deno.test("kubernetes: all objects are in the namespace, and so are the steps", () => {
  const all = documents("--namespace", "chains");
  deepStrictEqual(
    new Set(all.map(({ metadata }) => metadata.namespace)),
    new Set(["chains"]),
  );
  const { steps } = render("kubernetes", "--namespace", "chains");
  strictEqual(steps[0], "kubectl create namespace chains");
  ok(
    steps.filter((step) => /^kubectl .*(secret|wait|rollout)/.test(step))
      .every((step) => step.includes("--namespace chains")),
  );
});

Deno.test("stores get the credentials that they know", () => {
  const variables = (url: string) => {
    const [set] = ofKind("StatefulSet", "--snapshots", url);
    const { containers: [{ env }], volumes } = set.spec.template.spec;
    const names = env.map(({ name }: Document) => name as string)
      .filter((name: string) => /^(AWS|AZURE|GOOGLE)_/.test(name));
    return [names, volumes.some(({ name }: Document) => name === "store")];
  };
  deepStrictEqual(variables("s3://b/x"), [
    ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
    false,
  ]);
  deepStrictEqual(variables("az://b/x"), [
    ["AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT_KEY"],
    false,
  ]);
  deepStrictEqual(variables("gs://b/x"), [
    ["GOOGLE_APPLICATION_CREDENTIALS"],
    true,
  ]);
  const { steps } = render("kubernetes", "--snapshots", "gs://b/x");
  match(
    steps.join("\n"),
    /--from-file=credentials\.json="\$GOOGLE_APPLICATION_CREDENTIALS"/,
  );
});

Deno.test("the chain prepare has its data where the image may write", () => {
  const [deployment] = ofKind("Deployment", "--data", "photos");
  const { containers: [container], volumes } = deployment.spec.template.spec;
  ok(
    volumes.some((volume: Document) =>
      volume.persistentVolumeClaim?.claimName === "photos"
    ),
  );
  const variable = container.env.find(({ name }: Document) =>
    name === "WORKFLOWS_DATA"
  );
  const mount = container.volumeMounts.find(({ name }: Document) =>
    name === "data"
  );
  deepStrictEqual([variable.value, mount.mountPath], ["/data", "/data"]);
  const { chains } = compose("--data", "/srv/photos").services;
  deepStrictEqual(chains.volumes, ["/srv/photos:/data"]);
  strictEqual(chains.environment.WORKFLOWS_DATA, "/data");
  ok(!("WORKFLOWS_DATA" in compose().services.chains.environment));
});

Deno.test("compose: services use only networks, volumes and secrets of the file", () => {
  for (const url of ["s3://b/x", "gs://b/x"]) {
    const file = compose("--snapshots", url);
    for (const service of Object.values<Document>(file.services)) {
      const networks = Array.isArray(service.networks)
        ? service.networks
        : Object.keys(service.networks);
      for (const name of networks) ok(name in file.networks, name);
      for (const name of service.secrets ?? []) ok(name in file.secrets, name);
      for (const name of Object.keys(service.depends_on ?? {})) {
        ok(name in file.services, name);
      }
      for (const mount of service.volumes ?? []) {
        ok(mount.split(":")[0] in file.volumes, mount);
      }
    }
  }
  const file = compose();
  strictEqual(file.networks.cluster.internal, true);
  strictEqual(
    file.services["emu3-workflows-0"].extra_hosts["api.github.com"],
    "127.0.0.1",
  );
});
