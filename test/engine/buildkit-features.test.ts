import { suite } from "node:test";
import { startBox } from "../support/box.js";
import { lab, labBox } from "../support/lab.js";
import { suiteWithDockerd } from "../support/requirement.js";
import { testBuildKitFeatures } from "./buildkit-features.js";

for (const builder of ["buildkit", "classic"] as const) {
	suiteWithDockerd(`what BuildKit can do on docker 20.10, ${builder}`, () => {
		testBuildKitFeatures({ major: 20, builder, open: () => startBox({ builder }) });
	});
}

const here = lab();
suite("what BuildKit can do on docker 28.5", { skip: here ? false : "there is no lab" }, () => {
	if (here === undefined) return;
	const { host, localDockerSocket, localPodmanSocket, podmanSocket, sshConfigFile } = here;
	testBuildKitFeatures({
		major: 28,
		builder: "buildkit",
		open: () => labBox(host, localDockerSocket, sshConfigFile),
	});
	suite("and podman cannot", () => {
		const on = `ssh://${host}${podmanSocket}`;
		testBuildKitFeatures({
			major: 5,
			builder: "classic",
			open: () => labBox(on, localPodmanSocket, sshConfigFile),
		});
	});
});
