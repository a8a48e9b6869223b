import { startBox } from "../support/box.js";
import { suiteWithDockerd } from "../support/requirement.js";
import { testRemoteBuilds } from "./remote-builds.js";

for (const builder of ["buildkit", "classic"] as const) {
	suiteWithDockerd(`rbuild on docker 20.10, ${builder}`, () => {
		testRemoteBuilds({ builder, product: "docker", major: 20, open: () => startBox({ builder }) });
	});
}
