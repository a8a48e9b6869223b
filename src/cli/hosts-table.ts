import type { AskedHost } from "../build/host-list.js";
import { RbuildError } from "../errors.js";
import { displayWidth } from "../render/display-width.js";
import { printableName } from "../render/printable.js";
import { formatTarget } from "../target/parse-target.js";

/** For people: a line for each, and a star at what is used when nothing is named. */
export function hostsTable(hosts: readonly AskedHost[]): string {
	const rows = hosts.map(({ host, answer }) => {
		const { outcome, current } = host;
		const name = current ? `${host.name} *` : host.name;
		const endpoint = outcome instanceof RbuildError ? "" : formatTarget(outcome.target);
		if (answer === undefined) return [name, endpoint];
		if (answer instanceof RbuildError) return [name, endpoint, "", "", "", answer.message];
		const { engine, latencyMs } = answer;
		const { product, version, platform } = engine;
		const latency = `${latencyMs < 10 ? latencyMs.toFixed(1) : Math.round(latencyMs)} ms`;
		return [name, endpoint, platform, `${product} ${version}`, latency];
	});
	const lines = [["NAME", "ENDPOINT", "PLATFORM", "ENGINE", "LATENCY", "ERROR"], ...rows];
	const cells = lines.map((line) => line.map(printableName));
	const widths = [0, 1, 2, 3, 4].map((at) =>
		Math.max(...cells.map((line) => displayWidth(line[at] ?? ""))),
	);
	const padded = cells.map((line) =>
		line
			.map((cell, at) => cell + " ".repeat(Math.max(0, (widths[at] ?? 0) - displayWidth(cell))))
			.join("   ")
			.trimEnd(),
	);
	return `${padded.join("\n")}\n`;
}

/** For scripts. Latency in milliseconds; what was not found out is absent. */
export function hostDocument({ host, answer }: AskedHost) {
	const { name, kind, current, description, outcome } = host;
	return {
		...{ name, kind, current },
		...(description === "" ? {} : { description }),
		...(outcome instanceof RbuildError
			? {}
			: { endpoint: formatTarget(outcome.target), tls: outcome.target.kind === "tls" }),
		...(answer === undefined ? {} : answerDocument(answer)),
	};
}

function answerDocument(answer: NonNullable<AskedHost["answer"]>) {
	if (answer instanceof RbuildError) {
		const { message, hint, exitCode } = answer;
		return { error: { message, hint, exitCode } };
	}
	const { engine, route, latencyMs } = answer;
	return { platform: engine.platform, engine, route, latencyMs: Math.round(latencyMs * 10) / 10 };
}
