import { daemonSockets } from "../../../target/daemon-sockets.js";
import { connectInterrupted } from "../../connect-socket.js";
import type { CommandChannel, RemoteHost } from "../remote-host.js";
import { quoted } from "./remote-daemon.js";

interface RemoteSocket {
	readonly path: string;
	/** Whether the user may use it. */
	readonly state: "usable" | "denied";
}

/** What the box says when there is no stream to its daemon where that was expected. */
export interface RemoteFacts {
	/** The sockets that exist, in the order in which to try them. */
	readonly sockets: readonly RemoteSocket[];
	/** $DOCKER_HOST of a non-interactive shell there. */
	readonly dockerHost: string | undefined;
	/** The docker client, or podman in its place: a path that needs no PATH; absent where there is none. */
	readonly docker: string | undefined;
	readonly podman: string | undefined;
}

const OUTPUT_LIMIT = 64 * 1024;
const ANSWER_TIMEOUT_MS = 10_000;

/** In the shell there; $r is the user's runtime folder. */
const SOCKETS = daemonSockets({
	home: '"$HOME"',
	// biome-ignore lint/suspicious/noTemplateCurlyInString: the shell there expands it.
	config: '"${XDG_CONFIG_HOME:-$HOME/.config}"',
	runtime: '"$r"',
});

/** Where the programs are that a login shell would have on its PATH. */
const FOLDERS = [
	"/usr/local/bin",
	"/opt/homebrew/bin",
	'"$HOME/.orbstack/bin"',
	'"$HOME/.docker/bin"',
	'"$HOME/.rd/bin"',
	'"$HOME/bin"',
	'"$HOME/.local/bin"',
	"/snap/bin",
	"/Applications/Docker.app/Contents/Resources/bin",
	"/opt/local/bin",
	"/usr/bin",
];

/**
 * Asks the box where a daemon may be reached, in one command. The answer stands in lines of its own, so
 * that what the user's shell prints at its start does not matter.
 * @param socketPath The only socket to look at; absent: all places where daemons are known to listen.
 * @returns undefined where the box runs no POSIX shell for us.
 * @throws ChannelRefusal, ConnectionError, InterruptedError
 */
export async function askRemoteFacts(
	host: RemoteHost,
	socketPath: string | undefined,
	signal: AbortSignal,
): Promise<RemoteFacts | undefined> {
	const { channel } = await host.exec(`sh -c ${quoted(script(socketPath))}`, signal);
	return parseFacts(await readOutput(channel, host.place, signal));
}

/** No "!" and no line break: a csh that starts this would look for its history and the closing quote. */
function script(socketPath: string | undefined): string {
	const sockets =
		socketPath === undefined
			? [
					// biome-ignore lint/suspicious/noTemplateCurlyInString: the shell there expands it.
					'r=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}; h=${DOCKER_HOST#unix://}; echo "host $DOCKER_HOST"',
					`for s in "$h" ${SOCKETS.join(" ")}; do t "$s"; done`,
				]
			: [`t ${quoted(socketPath)}`];
	return [
		"printf '\\nrbuild-facts\\n'",
		't() { if [ -S "$1" ]; then if [ -r "$1" ] && [ -w "$1" ]; then echo "usable $1"; else echo "denied $1"; fi; fi; }',
		`p() { c=$(command -v "$1" 2>/dev/null) || for d in ${FOLDERS.join(" ")}; do if [ -x "$d/$1" ]; then c=$d/$1; break; fi; done; echo "$1 $c"; }`,
		"p docker",
		"p podman",
		...sockets,
		"echo rbuild-end",
	].join("; ");
}

/** @internal Exported for its test. */
export function parseFacts(output: string): RemoteFacts | undefined {
	const answer = /^rbuild-facts\r?\n([\s\S]*)^rbuild-end\r?$/m.exec(output)?.[1];
	if (answer === undefined) return undefined;
	const sockets: RemoteSocket[] = [];
	const said = new Map<string, string>();
	for (const line of answer.split(/\r?\n/)) {
		const [, word = "", rest = ""] = /^(\w+) (.*)$/.exec(line) ?? [];
		if (word === "usable" || word === "denied") {
			if (sockets.every(({ path }) => path !== rest)) sockets.push({ path: rest, state: word });
		} else if (rest !== "") {
			said.set(word, rest);
		}
	}
	return {
		sockets,
		dockerHost: said.get("host"),
		docker: said.get("docker"),
		podman: said.get("podman"),
	};
}

/**
 * Until the command ends, or is taking so long that its answer does not matter any more.
 * @param place for messages
 * @throws InterruptedError
 */
export function readOutput(
	channel: CommandChannel,
	place: string,
	signal: AbortSignal,
): Promise<string> {
	return new Promise((resolve, reject) => {
		let output = "";
		const end = () => {
			clearTimeout(timer);
			signal.removeEventListener("abort", giveUp);
		};
		const giveUp = () => {
			end();
			channel.close();
			reject(connectInterrupted(place));
		};
		const timer = setTimeout(() => {
			end();
			channel.close();
			resolve(output);
		}, ANSWER_TIMEOUT_MS);
		signal.addEventListener("abort", giveUp);
		channel.on("data", (chunk: Buffer) => {
			output = (output + chunk.toString("utf8")).slice(-OUTPUT_LIMIT);
		});
		channel.on("close", () => {
			end();
			resolve(output);
		});
		channel.stderr.resume();
		channel.end();
		if (signal.aborted) giveUp();
	});
}
