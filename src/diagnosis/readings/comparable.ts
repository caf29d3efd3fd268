import type { OpenSetting, Proposal, SettledSetting, Settings } from "../../architecture/reading";
import { whyNoLoss } from "../objective";

/**
 * A proposal without the values under which a model has no loss to compare with that of others: that it
 * reads both ways can be tried only with the token that masks others. Where every value of a setting is
 * such a one, all are left.
 */
export function comparable(proposal: Proposal): Proposal {
  const lack = ({ name }: OpenSetting, value: string): string | undefined =>
    whyNoLoss(proposal.architecture({ [name]: value }));
  const untried: string[] = [];
  const settled: SettledSetting[] = [];
  const open = proposal.open.flatMap((setting) => {
    const { name, values } = setting;
    const lacking = values.filter((value) => lack(setting, value) !== undefined);
    if (lacking.length === 0 || lacking.length === values.length) return [setting];
    const why = `${name}=${lacking.join("|")} could not be tried, since ${lack(setting, lacking[0]!)!}`;
    untried.push(why);
    const left = values.filter((value) => !lacking.includes(value));
    if (left.length > 1) return [{ ...setting, values: left }];
    settled.push({ name, value: left[0]!, by: why });
    return [];
  });
  if (untried.length === 0) return proposal;
  const fixed: Settings = Object.fromEntries(settled.map(({ name, value }) => [name, value]));
  return {
    ...proposal,
    settled: [...proposal.settled, ...settled],
    open,
    untried: untried.join("; "),
    architecture: (settings) => proposal.architecture({ ...settings, ...fixed }),
  };
}
