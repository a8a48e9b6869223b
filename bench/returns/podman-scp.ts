import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../test/support/free-port.js";
import type { Lab } from "../../test/support/lab.js";
import type { Link } from "../link.js";
import { shell } from "../shell.js";

/** `podman image scp` from the lab's podman into a store of its own. */
export interface PodmanScp extends AsyncDisposable {
	readonly link: Link;
	/** Puts an image of docker's into the store of podman on the box. */
	readonly prepare: (image: string) => Promise<void>;
	readonly command: (image: string) => string;
	/** Empties the store on this side. */
	readonly forget: () => Promise<void>;
}

/**
 * The lab's own sshd has no sftp, by which podman copies: hence one of ours.
 * @param openLink to a port of this machine
 */
export async function startPodmanScp(
	{ directory }: Lab,
	openLink: (port: number) => Promise<Link>,
): Promise<PodmanScp> {
	const run = join(directory, "run");
	const inLab = join(run, "bin/lab");
	const onBox = `${join(run, "bin/ssh")} labnet`;
	const place = mkdtempSync(join(directory, "sidroot/tmp/rbuild-scp-"));
	const inside = `/tmp/${basename(place)}`;
	const port = await freePort("127.0.0.1");
	writeFileSync(
		join(place, "sshd_config"),
		`ListenAddress 127.0.0.1:${port}\nHostKey ${run}/hostkey\nPidFile none\n` +
			`AuthorizedKeysFile ${run}/id.pub\nStrictModes no\nUsePAM no\nSubsystem sftp internal-sftp\n`,
	);
	const sshd = spawn(inLab, ["/usr/sbin/sshd", "-D", "-f", `${inside}/sshd_config`], {
		stdio: "ignore",
	});
	const ended = once(sshd, "exit");
	const link = await openLink(port);
	const podman =
		`${inLab} env HOME=${inside} PODMAN_IGNORE_CGROUPSV1_WARNING=1 ` +
		`podman --root ${inside}/store --runroot ${inside}/run`;
	const stop = async () => {
		await link.close();
		sshd.kill();
		await ended;
		await shell(`${podman} rmi -af; ${inLab} umount -l ${inside}/store/overlay`).catch(() => {});
		rmSync(place, { recursive: true, force: true });
	};
	try {
		mkdirSync(join(place, ".ssh"));
		const hostKey = readFileSync(join(run, "hostkey.pub"), "utf8");
		writeFileSync(join(place, ".ssh/known_hosts"), `[127.0.0.1]:${link.port} ${hostKey}`);
		const url = `ssh://root@127.0.0.1:${link.port}/run/podman/podman.sock`;
		await shell(`${podman} system connection add box --identity ${run}/id ${url}`);
		const listens = () =>
			shell(`ssh-keyscan -p ${port} 127.0.0.1`).then(({ stdout }) => stdout !== "");
		while (sshd.exitCode === null && !(await listens().catch(() => false))) await sleep(100);
		if (sshd.exitCode !== null) throw new Error("its sshd does not start in the lab");
	} catch (error) {
		await stop();
		throw error;
	}
	return {
		link,
		prepare: async (image) => {
			// Docker's archives have their names in full.
			const load = `docker save ${image} | podman load -q && podman tag docker.io/library/${image} ${image}`;
			await shell(`${onBox} '${load}'`);
		},
		command: (image) => `${podman} image scp box::${image}`,
		forget: async () => {
			await shell(`${podman} rmi -af`);
		},
		async [Symbol.asyncDispose]() {
			await shell(`${onBox} podman rmi -f rbuild-bench-returns`).catch(() => {});
			await stop();
		},
	};
}
