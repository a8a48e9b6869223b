import { suite } from "node:test";
import { lab, labBox } from "../support/lab.js";
import { testRemoteBuilds } from "./remote-builds.js";

const here = lab();

if (here === undefined) {
	console.error(
		"\nSKIPPED: docker 28.5 and podman 5.8: there is no ../shared/lab beside the checkout\n",
	);
} else {
	const { host, sshConfigFile, localDockerSocket, localPodmanSocket, podmanSocket } = here;
	suite("rbuild on docker 28.5", () => {
		testRemoteBuilds({
			builder: "buildkit",
			product: "docker",
			major: 28,
			open: () => labBox(host, localDockerSocket, sshConfigFile),
		});
	});
	suite("rbuild on podman 5.8", () => {
		testRemoteBuilds({
			builder: "classic",
			product: "podman",
			major: 5,
			open: () => labBox(`ssh://${host}${podmanSocket}`, localPodmanSocket, sshConfigFile),
		});
	});
}
