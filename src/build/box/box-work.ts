import { Closing } from "../../closing.js";
import type { Environment } from "../../environment.js";
import type { Run } from "../../events.js";
import { readTransportSettings } from "../../transport/open-transport.js";
import { type BuildOptions, DEFAULT_RETRIES } from "../plan/options.js";
import { BoxConnection } from "./box-connection.js";
import { chooseBox } from "./choose-box.js";

/** Which daemon, as for a build, and how often a connection that was lost is made anew. */
export type BoxOptions = Pick<BuildOptions, "on" | "retries">;

/**
 * Does something with a daemon that is no build.
 * @throws RbuildError
 */
export async function withBox<Result>(
	options: BoxOptions,
	environment: Environment,
	run: Run,
	work: (box: BoxConnection, closing: Closing) => Promise<Result>,
): Promise<Result> {
	await using closing = new Closing();
	const any = { platform: undefined, allowEmulation: true };
	const { chosen, opened } = await chooseBox(options, any, environment, run, closing);
	const settings = readTransportSettings(chosen, environment, run.signal);
	settings.catch(() => {});
	const { retries = DEFAULT_RETRIES } = options;
	const box = closing.use(new BoxConnection({ chosen, settings, opened, retries }, run));
	return await work(box, closing);
}
