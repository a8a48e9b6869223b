import { suite } from "node:test";
import { startBox } from "../support/box.js";
import { lab, labBox } from "../support/lab.js";
import { suiteWithDockerd } from "../support/requirement.js";
import { testMinimalContexts } from "./minimal-contexts.js";

suiteWithDockerd("rbuild --minimal on docker 20.10, BuildKit", () => {
	testMinimalContexts("20.10", () => startBox({ builder: "buildkit" }));
});

suiteWithDockerd("rbuild --minimal on docker 20.10, classic", () => {
	testMinimalContexts("classic", () => startBox({ builder: "classic" }));
});

const here = lab();
const skip = here ? false : "there is no lab";

suite("rbuild --minimal on docker 28.5", { skip }, () => {
	if (here === undefined) return;
	const { host, localDockerSocket, sshConfigFile } = here;
	testMinimalContexts("28.5", () => labBox(host, localDockerSocket, sshConfigFile));
});

suite("rbuild --minimal on podman 5.8", { skip }, () => {
	if (here === undefined) return;
	const { host, podmanSocket, localPodmanSocket, sshConfigFile } = here;
	const on = `ssh://${host}${podmanSocket}`;
	testMinimalContexts("podman", () => labBox(on, localPodmanSocket, sshConfigFile));
});
