import { suite } from "node:test";
import { startBox } from "../support/box.js";
import { lab, labBox } from "../support/lab.js";
import { suiteWithDockerd } from "../support/requirement.js";
import { testFileSync } from "./file-syncs.js";
import { testRemoteBuilds } from "./remote-builds.js";

suiteWithDockerd("rbuild --transfer sync on docker 20.10", () => {
	const open = () => startBox();
	testRemoteBuilds({ builder: "buildkit", product: "docker", major: 20, transfer: "sync", open });
	testFileSync(open);
});

const here = lab();
suite("rbuild --transfer sync on docker 28.5", { skip: here ? false : "there is no lab" }, () => {
	if (here === undefined) return;
	const open = () => labBox(here.host, here.localDockerSocket, here.sshConfigFile);
	testRemoteBuilds({ builder: "buildkit", product: "docker", major: 28, transfer: "sync", open });
	testFileSync(open);
});
