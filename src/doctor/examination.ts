import { chooseBox } from "../build/box/choose-box.js";
import type { BuildOptions } from "../build/plan/options.js";
import { singlePlatform } from "../build/plan/platform-list.js";
import { connectEngine } from "../engine/connect-engine.js";
import type { Environment } from "../environment.js";
import {
	ConnectionError,
	EXIT_CODES,
	type ExitCode,
	InterruptedError,
	RbuildError,
} from "../errors.js";
import type { TargetOptions } from "../target/choose-target.js";
import { formatTarget } from "../target/parse-target.js";
import type { ChosenTarget } from "../target/target.js";
import { openTransport, readTransportSettings } from "../transport/open-transport.js";
import type { Check, Finding, Tell } from "./check.js";
import { Checklist } from "./checklist.js";
import { DAEMON_CHECKS, type Examined } from "./daemon-checks.js";
import { registryLogins } from "./registry-logins.js";
import { checksOfWay, failedCheck, Way } from "./way.js";

/** As those of a build. */
type DoctorOptions = Pick<BuildOptions, "on" | "platform" | "allowEmulation"> & TargetOptions;

/** Of one box. */
export interface Diagnosis {
	/** As the user would write it after --on; absent where none could be chosen. */
	readonly target?: string;
	/** Why it was chosen, such as "--on". */
	readonly chosenBy?: string;
	readonly checks: readonly Check[];
	/** What a build would end with; 0 where it could work. */
	readonly exitCode: ExitCode | 0;
}

/** How long one look at a daemon that has answered may take, in milliseconds. */
const LIMIT = 5_000;

const OF_DAEMON = Object.keys(DAEMON_CHECKS) as (keyof typeof DAEMON_CHECKS)[];

/**
 * Goes the way of a build, up to where it would send something, and says of each step how it went; then
 * looks at what builds need of the daemon and of the link. It changes nothing on the box.
 *
 * @param tell hears of each check at once
 * @throws UsageError for options that make no sense; InterruptedError
 */
export async function examine(
	options: DoctorOptions,
	environment: Environment,
	signal: AbortSignal,
	tell: Tell,
): Promise<Diagnosis> {
	const { allowEmulation = false } = options;
	const platform = singlePlatform(options.platform, environment);
	const wish = { platform, allowEmulation };
	const list = new Checklist(tell);
	const chosen = await choose(options, wish, environment, signal, list);
	if (chosen !== undefined) await goThere(chosen, wish, environment, signal, list);
	list.found("registries", await registryLogins(environment));
	return {
		...(chosen && { target: formatTarget(chosen.target), chosenBy: chosen.chosenBy }),
		checks: list.checks,
		exitCode: list.checks.find(({ exitCode }) => exitCode !== undefined)?.exitCode ?? 0,
	};
}

async function choose(
	options: DoctorOptions,
	wish: Examined["wish"],
	environment: Environment,
	signal: AbortSignal,
	list: Checklist,
): Promise<ChosenTarget | undefined> {
	list.plan(["box", "engine", ...OF_DAEMON]);
	try {
		const { chosen } = await chooseBox(options, wish, environment, { emit: () => {}, signal });
		const detail = `${formatTarget(chosen.target)} (${chosen.chosenBy})`;
		list.found("box", { state: "ok", detail });
		return chosen;
	} catch (error) {
		if (!(error instanceof ConnectionError)) throw error;
		list.found("box", fatal(error));
		list.skipRest("box");
		return undefined;
	}
}

async function goThere(
	chosen: ChosenTarget,
	wish: Examined["wish"],
	environment: Environment,
	signal: AbortSignal,
	list: Checklist,
): Promise<void> {
	list.plan([...checksOfWay(chosen, undefined), "engine", ...OF_DAEMON]);
	try {
		const settings = await readTransportSettings(chosen, environment, signal);
		list.plan([...checksOfWay(chosen, settings), "engine", ...OF_DAEMON]);
		list.hold("configuration", { state: "ok", detail: describeSettings(settings) });
		const way = new Way(chosen, settings, list);
		const known = Promise.resolve(settings);
		await using transport = await openTransport(chosen, known, signal, (news) => way.hear(news));
		way.arrived(transport.route);
		await using engine = await connectEngine(transport, signal);
		const { product, version, apiVersion } = engine.facts;
		list.found("engine", { state: "ok", detail: `${product} ${version}, API ${apiVersion}` });
		const isLocal = chosen.target.kind === "unix";
		for (const id of OF_DAEMON) {
			const examined = { engine, transport, wish, isLocal };
			list.found(id, await limited((during) => DAEMON_CHECKS[id](examined, during), signal));
		}
	} catch (error) {
		if (!(error instanceof RbuildError) || error instanceof InterruptedError) throw error;
		const failed = failedCheck(error, list);
		list.found(failed, fatal(error));
		list.skipRest(failed);
	}
}

/** @throws ConnectionError when the connection is lost; InterruptedError */
async function limited(
	check: (signal: AbortSignal) => Promise<Finding>,
	signal: AbortSignal,
): Promise<Finding> {
	const limit = AbortSignal.timeout(LIMIT);
	try {
		return await check(AbortSignal.any([signal, limit]));
	} catch (error) {
		if (signal.aborted || !(error instanceof RbuildError)) throw error;
		if (limit.aborted) {
			return { state: "warning", detail: `no answer within ${LIMIT / 1000} s` };
		}
		if (error instanceof ConnectionError) throw error;
		return { state: "warning", detail: error.message, fix: error.hint };
	}
}

/** Whatever is wrong before a daemon has answered, a build has no connection. */
function fatal({ message, hint, exitCode }: RbuildError): Finding {
	return {
		state: "failed",
		detail: message,
		fix: hint,
		exitCode: exitCode === EXIT_CODES.engine ? exitCode : EXIT_CODES.connection,
	};
}

function describeSettings(settings: Awaited<ReturnType<typeof readTransportSettings>>): string {
	if (settings?.kind === "ssh") {
		const { user, hostName, port } = settings.ssh;
		return `${user && `${user}@`}${hostName}, port ${port}`;
	}
	return settings?.kind === "tls" ? (settings.tls.identity?.file ?? "no client certificate") : "";
}
