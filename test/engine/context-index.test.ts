import { suite } from "node:test";
import { startBox } from "../support/box.js";
import { lab, labBox } from "../support/lab.js";
import { suiteWithDockerd } from "../support/requirement.js";
import { testContextIndex } from "./context-indexes.js";
import { testRandomClones } from "./random-clones.js";

suiteWithDockerd("the context index on docker 20.10", () => {
	const open = () => startBox();
	const abilities = { canPrune: true, takesNamedContexts: false };
	testContextIndex(open, abilities);
	testRandomClones(open, abilities);
});

const here = lab();
suite("the context index on docker 28.5", { skip: here ? false : "there is no lab" }, () => {
	if (here === undefined) return;
	const open = () => labBox(here.host, here.localDockerSocket, here.sshConfigFile);
	const abilities = { canPrune: false, takesNamedContexts: true };
	testContextIndex(open, abilities);
	testRandomClones(open, abilities);
});
