import { suite } from "node:test";
import { startBox } from "../support/box.js";
import { lab, labBox } from "../support/lab.js";
import { suiteWithDockerd } from "../support/requirement.js";
import { testContextIndex } from "./context-indexes.js";
import { testRandomClones } from "./random-clones.js";

suiteWithDockerd("the context index on docker 20.10", () => {
	const open = () => startBox();
	testContextIndex(open);
	testRandomClones(open, true);
});

const here = lab();
suite("the context index on docker 28.5", { skip: here ? false : "there is no lab" }, () => {
	if (here === undefined) return;
	const open = () => labBox(here.host, here.localDockerSocket, here.sshConfigFile);
	testContextIndex(open);
	testRandomClones(open, false);
});
