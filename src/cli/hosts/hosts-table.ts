import type { AskedHost } from "../../build/box/host-list.js";
import { RbuildError } from "../../errors.js";
import { printableName } from "../../printable.js";
import { formatTarget } from "../../target/parse-target.js";
import { tableOf } from "../table.js";

const HEAD = ["NAME", "ENDPOINT", "PLATFORM", "ENGINE", "LATENCY", "ERROR"];

/** For people: a row for each, and a star at what is used when nothing is named. @param width in cells */
export function hostsTable(hosts: readonly AskedHost[], width: number): string {
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
	return tableOf(
		HEAD,
		rows.map((row) => row.map(printableName)),
		width,
	);
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
