import { type Command, takesNoArgument } from "../command.js";
import { HIDDEN_SSH_FLAGS } from "../flags/general-flags.js";

export const COMPLETION: Command = {
	usage: "",
	description: "Print a script for shell completion",
	help: `rbuild completion

Print a script for shell completion, for the shell that SHELL names: zsh, fish,
else bash.

  rbuild completion >> ~/.bashrc
  rbuild completion >> ~/.zshrc
  rbuild completion > ~/.config/fish/completions/rbuild.fish
`,
	flags: HIDDEN_SSH_FLAGS,
	words: [0, 0],
	tooMany: (word) =>
		takesNoArgument("completion", word, "the shell is taken from SHELL: zsh, fish, else bash"),
	run: async () => {
		const { printCompletionScript } = await import("./completion-command.js");
		printCompletionScript(process.env);
		return 0;
	},
};
