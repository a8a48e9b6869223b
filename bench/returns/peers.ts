import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Lab } from "../../test/support/lab.js";
import type { Link } from "../link.js";
import { shell } from "../shell.js";
import { IMAGE } from "./box-image.js";
import { type PodmanScp, startPodmanScp } from "./podman-scp.js";

export interface Peer {
	readonly link: Link;
	/** @param cache its own, empty at first */
	readonly command: (cache: string) => string;
	/** Removes all that was brought to where it brings images, but not its cache. */
	readonly forget: () => Promise<unknown>;
	/** Removes the last image, of which the layers below stay: the next peer must not find its top layer. */
	readonly forgetLast: () => Promise<unknown>;
	/** Makes a new image known to it; not timed. */
	readonly prepare?: () => Promise<void>;
}

interface Peers extends AsyncDisposable {
	readonly byName: ReadonlyMap<string, Peer>;
}

/** What they bring the image from and to, and with what. */
interface Ends {
	readonly box: Lab;
	/** Of the local docker. */
	readonly socketPath: string;
	/** The command's file. */
	readonly rbuild: string;
	readonly directory: string;
	readonly openLink: (target: { readonly host: string; readonly port: number }) => Promise<Link>;
}

/** @param wanted of docker, podman, rbuild */
export async function openPeers(wanted: readonly string[], ends: Ends): Promise<Peers> {
	const link = await ends.openLink(await addressOf(ends.box));
	const scp = wanted.includes("podman") ? await podmanScp(ends) : undefined;
	const sshConfig = join(ends.directory, "ssh_config");
	const { networkHost, sshConfigFile } = ends.box;
	writeFileSync(
		sshConfig,
		`Host ${networkHost}\n  HostName 127.0.0.1\n  Port ${link.port}\nInclude ${sshConfigFile}\n`,
	);
	const peers: [string, Peer][] = [
		...(wanted.includes("docker") ? [dockerPeer(ends, link, sshConfig)] : []),
		...(scp === undefined ? [] : [podmanPeer(scp)]),
		...(wanted.includes("rbuild") ? rbuildPeers(ends, link, sshConfig) : []),
	];
	return {
		byName: new Map(peers),
		async [Symbol.asyncDispose]() {
			await link.close();
			await scp?.[Symbol.asyncDispose]();
		},
	};
}

function dockerPeer(ends: Ends, link: Link, sshConfig: string): [string, Peer] {
	const save = `ssh -F ${sshConfig} ${ends.box.networkHost} docker save ${IMAGE}`;
	const command = () => `${save} | ${localDocker(ends)} load`;
	return ["docker save, ssh, docker load", { link, ...inDocker(ends), command }];
}

function podmanPeer(scp: PodmanScp): [string, Peer] {
	const { link, forget } = scp;
	const command = () => scp.command(IMAGE);
	const prepare = () => scp.prepare(IMAGE);
	return ["podman image scp", { link, forget, forgetLast: forget, command, prepare }];
}

function rbuildPeers(ends: Ends, link: Link, sshConfig: string): [string, Peer][] {
	const saved = join(ends.directory, "saved.tar");
	const removeFile = () => shell(`rm -f ${saved}`);
	const pull = (cache: string, flags: string) =>
		`XDG_CACHE_HOME=${cache} DOCKER_HOST=unix://${ends.socketPath} /usr/bin/time -f 'peak %M' ` +
		`${process.execPath} ${ends.rbuild} pull ${IMAGE} ${flags} --on ${ends.box.networkHost} ` +
		`--ssh-config ${sshConfig} --progress plain`;
	const toFile = { link, forget: removeFile, forgetLast: removeFile };
	return [
		["rbuild pull", { link, ...inDocker(ends), command: (cache) => pull(cache, "") }],
		["rbuild pull --save", { ...toFile, command: (cache) => pull(cache, `--save ${saved}`) }],
	];
}

async function podmanScp({ box, openLink }: Ends): Promise<PodmanScp | undefined> {
	try {
		return await startPodmanScp(box, (port) => openLink({ host: "127.0.0.1", port }));
	} catch (error) {
		console.log(`podman image scp does not run here: ${(error as Error).message}\n`);
		return undefined;
	}
}

function inDocker(ends: Ends): Pick<Peer, "forget" | "forgetLast"> {
	const docker = localDocker(ends);
	return {
		forget: () => shell(`${docker} image prune -af`),
		forgetLast: () => shell(`${docker} rmi ${IMAGE}`),
	};
}

function localDocker({ socketPath }: Ends): string {
	return `docker -H unix://${socketPath}`;
}

async function addressOf({ sshConfigFile, networkHost }: Lab) {
	const { stdout } = await shell(`ssh -F ${sshConfigFile} -G ${networkHost}`);
	const value = (name: string) => new RegExp(`^${name} (.*)$`, "m").exec(stdout)?.[1] ?? "";
	return { host: value("hostname"), port: Number(value("port")) };
}
