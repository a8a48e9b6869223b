import { suite } from "node:test";
import { startBox } from "../support/box.js";
import { lab, labBox } from "../support/lab.js";
import { suiteWithDockerd } from "../support/requirement.js";
import { testDryRuns } from "./dry-runs.js";

for (const builder of ["buildkit", "classic"] as const) {
	suiteWithDockerd(`--dry-run on docker 20.10, ${builder}`, () => {
		testDryRuns({ builder, open: () => startBox({ builder }) });
	});
}

const here = lab();
suite("--dry-run on docker 28.5", { skip: here ? false : "there is no lab" }, () => {
	if (here === undefined) return;
	testDryRuns({
		...{ builder: "buildkit", isShared: true },
		open: () => labBox(here.host, here.localDockerSocket, here.sshConfigFile),
	});
});
