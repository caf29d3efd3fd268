/** Asks a language-model tool as an assistant does that is no part of a chat. */
const vscode = require("vscode");

/** The question that has no answer yet. */
let asking;

/** @returns what the tool answers as text, or the error that it was refused with */
exports.ask = async (tool, input) => {
  asking = new vscode.CancellationTokenSource();
  try {
    const options = { input: JSON.parse(input), toolInvocationToken: undefined };
    const { content } = await vscode.lm.invokeTool(tool, options, asking.token);
    return { text: content.map(({ value }) => value).join("\n") };
  } catch (error) {
    return { error: `${error.name}: ${error.message}` };
  } finally {
    asking.dispose();
  }
};

/** Says that the answer is not wanted any more. */
exports.cancel = () => {
  asking.cancel();
};

/** @returns what an assistant is told of the tool */
exports.describe = (tool) => vscode.lm.tools.find(({ name }) => name === tool);
