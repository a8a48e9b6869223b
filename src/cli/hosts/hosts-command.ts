import { addHost, type Remark, removeHost, useHost } from "../../build/box/host-changes.js";
import { inspectHost } from "../../build/box/host-details.js";
import { askHosts, listHosts } from "../../build/box/host-list.js";
import { type ExitCode, UsageError } from "../../errors.js";
import { printableJson } from "../../printable.js";
import { suggestion } from "../../suggestion.js";
import { unknownAction } from "../flags/unknown-action.js";
import { onInterrupt } from "../process/interrupts.js";
import { processSurroundings } from "../process/process-environment.js";
import { stdoutWidth } from "../process/screen.js";
import { terminalPrompt } from "../process/terminal-prompt.js";
import { HOSTS_ACTIONS, HOSTS_FLAGS, type HostsArguments } from "./hosts-flags.js";
import { hostDocument, hostsTable } from "./hosts-table.js";

type Flag = keyof typeof HOSTS_FLAGS;

interface Action {
	readonly usage: string;
	readonly flags: readonly Flag[];
	/** How many names it takes. */
	readonly names: readonly [least: number, most: number];
	run(names: readonly string[], values: HostsArguments, signal: AbortSignal): Promise<void>;
}

const LIMIT_SECONDS = 5;

const ACTIONS: Readonly<Record<(typeof HOSTS_ACTIONS)[number], Action>> = {
	ls: { usage: "", flags: ["format", "timeout", "no-ask", "insecure"], names: [0, 0], run: list },
	add: {
		usage: "NAME ssh://…|tcp://…|unix://…",
		flags: ["description", "ca", "cert", "key", "skip-tls-verify"],
		names: [2, 2],
		run: add,
	},
	rm: { usage: "NAME…", flags: ["force"], names: [1, Infinity], run: remove },
	use: { usage: "NAME", flags: [], names: [1, 1], run: use },
	trust: { usage: "NAME", flags: ["fingerprint"], names: [1, 1], run: trustKey },
	inspect: { usage: "NAME", flags: ["timeout", "no-ask", "insecure"], names: [1, 1], run: inspect },
};

/** `rbuild hosts`: the boxes by their names, most of which docker knows, too. */
export async function runHosts(values: HostsArguments): Promise<ExitCode | 0> {
	using interrupts = onInterrupt(() => {});
	const [word = "ls", ...names] = values.words ?? [];
	const known = HOSTS_ACTIONS.find((one) => one === word);
	if (known === undefined) throw unknownAction("hosts", word, HOSTS_ACTIONS);
	const action = ACTIONS[known];
	const usage = `rbuild hosts ${word} ${action.usage}`.trim();
	const [least, most] = action.names;
	if (names.length < least || names.length > most) {
		throw new UsageError(`rbuild hosts ${word} takes ${counted(least, most)}`, {
			hint: `write it as: ${usage}`,
		});
	}
	for (const flag of Object.keys(HOSTS_FLAGS) as Flag[]) {
		const isGiven = values[flag] !== undefined && !(flag === "format" && values.format === "table");
		if (isGiven && !action.flags.includes(flag)) {
			throw new UsageError(`rbuild hosts ${word} has no flag --${flag}`, {
				hint: "see rbuild hosts --help",
			});
		}
	}
	await action.run(names, values, interrupts.signal);
	return 0;
}

async function list(_names: readonly string[], values: HostsArguments, signal: AbortSignal) {
	const environment = environmentOf(values);
	const limit = limitOf(values);
	const hosts = await listHosts({ insecure: values.insecure ?? false }, environment);
	const asked = values["no-ask"]
		? hosts.map((host) => ({ host, answer: undefined }))
		: await askHosts(hosts, environment, limit, signal);
	process.stdout.write(
		values.format === "json"
			? `${printableJson(JSON.stringify(asked.map(hostDocument), null, 2))}\n`
			: hostsTable(asked, stdoutWidth()),
	);
}

async function add([name = "", endpoint = ""]: readonly string[], values: HostsArguments) {
	const { description, ca, cert: certificate, key } = values;
	const skipTlsVerify = values["skip-tls-verify"];
	const host = { name, endpoint, description, ca, certificate, key, skipTlsVerify };
	tell(await addHost(host, environmentOf(values)));
	process.stdout.write(`${name}\n`);
}

async function remove(names: readonly string[], values: HostsArguments) {
	for (const name of names) {
		await removeHost(name, values.force ?? false, environmentOf(values));
		process.stdout.write(`${name}\n`);
	}
}

async function use([name = ""]: readonly string[], values: HostsArguments) {
	tell(await useHost(name, environmentOf(values)));
	process.stdout.write(`${name}\n`);
}

async function inspect(
	[name = ""]: readonly string[],
	values: HostsArguments,
	signal: AbortSignal,
) {
	const environment = environmentOf(values);
	const limit = limitOf(values);
	const hosts = await listHosts({ insecure: values.insecure ?? false }, environment);
	const host = hosts.find((one) => one.name === name);
	if (host === undefined) {
		const meant = suggestion(
			name,
			hosts.map((one) => one.name),
		);
		throw new UsageError(`there is no docker context or ssh alias "${name}"`, {
			hint: meant ? `did you mean: ${meant}?` : "list them with: rbuild hosts",
		});
	}
	const [asked = { host, answer: undefined }] = values["no-ask"]
		? []
		: await askHosts([host], environment, limit, signal);
	const details = await inspectHost(host, environment, signal);
	process.stdout.write(
		`${printableJson(JSON.stringify({ ...hostDocument(asked), ...details }, null, 2))}\n`,
	);
}

async function trustKey(
	[name = ""]: readonly string[],
	values: HostsArguments,
	signal: AbortSignal,
) {
	const { trust } = await import("./hosts-trust.js");
	const prompt = terminalPrompt(() => undefined);
	const { environment } = processSurroundings(values, prompt);
	await trust(name, values.fingerprint, environment, signal);
}

function environmentOf(values: HostsArguments) {
	return processSurroundings(values).environment;
}

/** Milliseconds. */
function limitOf({ timeout = String(LIMIT_SECONDS) }: HostsArguments): number {
	const seconds = Number(timeout);
	if (seconds > 0 && seconds <= 3600) return seconds * 1000;
	throw new UsageError(`--timeout "${timeout}" is not a number of seconds`, {
		hint: "use up to 3600, such as --timeout 10",
	});
}

function counted(least: number, most: number): string {
	if (most === 0) return "no name";
	if (most === Infinity) return "one name or more";
	return least === 1 ? "one name" : "a name and an endpoint";
}

function tell(remarks: readonly Remark[]): void {
	for (const { message, hint } of remarks) {
		process.stderr.write(`warning: ${message}\nhint: ${hint}\n`);
	}
}
