/**
 * Asks `peers.py` for the times of other software.
 *
 * @module
 */

/**
 * What `peers.py` measured, or undefined when Python lacks what it needs.
 *
 * @param args As on its command line.
 */
export async function askPeer(
  args: readonly string[],
): Promise<Record<string, number> | undefined> {
  const python = Deno.env.get("PYTHON") ?? "python3";
  const script = new URL("peers.py", import.meta.url).pathname;
  const command = new Deno.Command(python, {
    args: [script, ...args],
    stderr: "null",
  });
  try {
    const { success, stdout } = await command.output();
    const last = new TextDecoder().decode(stdout).trim().split("\n").at(-1);
    return success ? JSON.parse(last!) : undefined;
  } catch {
    // There is no Python.
    return undefined;
  }
}
