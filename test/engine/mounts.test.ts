import { suite } from "node:test";
import { startBox } from "../support/box.js";
import { lab, labBox } from "../support/lab.js";
import { suiteWithDockerd } from "../support/requirement.js";
import { testMounts, testMountsAreRefused } from "./mounts.js";

const withBuildKit = { transfers: ["tar", "sync"], agents: true };

suiteWithDockerd("mounts of this machine on docker 20.10", () => {
	testMounts({ open: () => startBox(), ...withBuildKit });
});

suiteWithDockerd("mounts of this machine on docker 20.10, classic", () => {
	testMountsAreRefused(() => startBox({ builder: "classic" }), ["--secret", "--ssh"]);
});

const here = lab();
suite("mounts of this machine on docker 28.5", { skip: here ? false : "there is no lab" }, () => {
	if (here === undefined) return;
	const open = () => labBox(here.host, here.localDockerSocket, here.sshConfigFile);
	testMounts({ open, ...withBuildKit });
});

suite("mounts of this machine on podman 5.8", { skip: here ? false : "there is no lab" }, () => {
	if (here === undefined) return;
	const on = `ssh://${here.host}${here.podmanSocket}`;
	const open = () => labBox(on, here.localPodmanSocket, here.sshConfigFile);
	testMounts({ open, transfers: ["tar"], agents: false });
	testMountsAreRefused(open, ["--ssh"]);
});
