/**
 * How near a report must come to the PyTorch reference, figure by figure.
 *
 * The report is computed in fp32 and the reference in float64. Everything but the Jacobian is exact
 * up to rounding. The Jacobian is estimated from random probes, so it is held to four standard
 * errors; those are computed from the reference's exact Jacobians, not taken from the report, so an
 * estimator cannot pass by stating wide errors.
 */

const nllTolerance = 1e-4;
const deltaNllTolerance = 1e-3;
const relativeTolerance = 1e-4;
const growthTolerance = 1e-4;
const standardErrors = 4;
/** The comparison says nothing when the probes are too few: their error must stay below this. */
const largestJacobianError = 0.03;

/** What is compared unless the caller says less. */
const everyMetric = ["variance", "jacobian", "pruning", "sublayers"];

const needLoss = new Set(["pruning", "sublayers"]);

/**
 * Every figure of the reference against the report's. A figure the report lacks is NaN and fails.
 *
 * @param {object} report a Report, as in src/diagnosis/report.ts
 * @param {object} reference a fixture's reference.json
 * @param {string[]} metrics those the report was asked for
 * @returns {import("./tolerances.mjs").Comparison[]}
 */
export function compareWithReference(report, reference, metrics = everyMetric) {
  const hasLoss = reference.baseline !== undefined;
  // Without a loss no removal may be stated either.
  const measured = new Set(hasLoss ? metrics : metrics.filter((metric) => !needLoss.has(metric)));
  const stated = report.layers.filter(({ pruning }) => pruning !== undefined).length;
  const checks = [
    ...(hasLoss
      ? compareBaseline(report.baseline, reference.baseline)
      : [
          check("baselines without a head", 0, report.baseline === undefined ? 0 : 1, 0),
          check("removals without a head", 0, stated, 0),
        ]),
    check("layers", reference.layers.length, report.layers.length, 0),
  ];
  if (measured.has("variance")) checks.push(...compareGrowth(report.growth, reference.growth));
  for (const expected of reference.layers) {
    const actual = report.layers[expected.index] ?? {};
    const layerChecks = [
      ...(measured.has("variance") ? compareVariance(actual, expected) : []),
      ...(measured.has("jacobian")
        ? compareJacobian(actual.jacobian, expected.jacobian, report.evaluation.probes)
        : []),
      ...(measured.has("pruning")
        ? comparePruning(actual.pruning, expected.pruning, reference.baseline.perplexity)
        : []),
      ...(measured.has("sublayers")
        ? [
            ...compareRemoval(
              "pruning.attention",
              actual.pruning?.attention,
              expected.pruning.attention,
            ),
            ...(expected.pruning.crossAttention
              ? compareRemoval(
                  "pruning.crossAttention",
                  actual.pruning?.crossAttention,
                  expected.pruning.crossAttention,
                )
              : []),
            ...compareRemoval(
              "pruning.feedForward",
              actual.pruning?.feedForward,
              expected.pruning.feedForward,
            ),
          ]
        : []),
    ];
    for (const { name, ...rest } of layerChecks) {
      checks.push({ name: `layers[${expected.index}].${name}`, ...rest });
    }
  }
  return checks;
}

function compareBaseline(actual, expected) {
  return [
    check("baseline.nll", expected.nll, actual?.nll, nllTolerance),
    check("baseline.standardError", expected.standardError, actual?.standardError, nllTolerance),
    relative("baseline.perplexity", expected.perplexity, actual?.perplexity),
  ];
}

function compareGrowth(actual, expected) {
  return Object.entries(expected).flatMap(([law, fit]) =>
    Object.entries(fit).map(([name, value]) =>
      check(`growth.${law}.${name}`, value, actual?.[law]?.[name], growthTolerance),
    ),
  );
}

function compareVariance(actual, expected) {
  const { attention, crossAttention, feedForward } = expected.contribution;
  return [
    ...compareStatistics("outputVariance", actual.outputVariance, expected.outputVariance),
    relative("attentionVariance", attention.variance.mean, actual.attentionVariance),
    relative("feedForwardVariance", feedForward.variance.mean, actual.feedForwardVariance),
    ...compareContribution("attention", actual.contribution?.attention, attention),
    ...(crossAttention
      ? [
          relative(
            "crossAttentionVariance",
            crossAttention.variance.mean,
            actual.crossAttentionVariance,
          ),
          ...compareContribution(
            "crossAttention",
            actual.contribution?.crossAttention,
            crossAttention,
          ),
        ]
      : []),
    ...compareContribution("feedForward", actual.contribution?.feedForward, feedForward),
    check("blockInfluence", expected.blockInfluence, actual.blockInfluence, relativeTolerance),
    check(
      "blockInfluenceStandardError",
      expected.blockInfluenceStandardError,
      actual.blockInfluenceStandardError,
      relativeTolerance,
    ),
  ];
}

function compareStatistics(name, actual, expected) {
  return Object.keys(expected).map((statistic) =>
    statistic === "standardError"
      ? ofStandardError(
          `${name}.${statistic}`,
          expected.standardError,
          actual?.standardError,
          expected.mean,
        )
      : relative(`${name}.${statistic}`, expected[statistic], actual?.[statistic]),
  );
}

function compareContribution(name, actual, expected) {
  const { variance, normRatio, normRatioStandardError, cosine, cosineStandardError } = expected;
  return [
    ...compareStatistics(`${name}.variance`, actual?.variance, variance),
    relative(`${name}.normRatio`, normRatio, actual?.normRatio),
    ofStandardError(
      `${name}.normRatioStandardError`,
      normRatioStandardError,
      actual?.normRatioStandardError,
      normRatio,
    ),
    // Cosines pass through zero, so their error is absolute.
    check(`${name}.cosine`, cosine, actual?.cosine, relativeTolerance),
    check(
      `${name}.cosineStandardError`,
      cosineStandardError,
      actual?.cosineStandardError,
      relativeTolerance,
    ),
  ];
}

function compareJacobian(actual, expected, probes) {
  const { documents } = expected;
  const count = documents.squaredDistance.length;
  // SE(‖J−I‖²) over documents = √(Σ_n Var_n / K) / N, and d√s = ds / 2√s.
  const squareError = Math.sqrt(sum(documents.squaredDistanceProbeVariance) / probes) / count;
  const distanceError = squareError / (2 * expected.identityDistance);
  const cosineError = Math.hypot(
    Math.sqrt(sum(documents.identityCosineProbeVariance) / probes) / count,
    expected.identityCosineStandardError,
  );
  return [
    check(
      "jacobian.identityDistance",
      expected.identityDistance,
      actual?.identityDistance,
      standardErrors * distanceError + relativeTolerance * expected.identityDistance,
    ),
    check(
      "jacobian probe error, relative",
      0,
      distanceError / expected.identityDistance,
      largestJacobianError,
    ),
    check(
      "jacobian.identityCosine",
      expected.identityCosine,
      actual?.identityCosine,
      standardErrors * cosineError + relativeTolerance,
    ),
  ];
}

function comparePruning(actual, expected, perplexity) {
  return [
    ...compareRemoval("pruning", actual, expected),
    // d exp(NLL) = exp(NLL) dNLL: a perplexity is as exact as the NLL it comes from.
    check(
      "pruning.deltaPerplexity",
      expected.deltaPerplexity,
      actual?.deltaPerplexity,
      deltaNllTolerance * (perplexity + expected.deltaPerplexity),
    ),
  ];
}

function compareRemoval(name, actual, expected) {
  return [
    check(`${name}.deltaNll`, expected.deltaNll, actual?.deltaNll, deltaNllTolerance),
    check(
      `${name}.standardError`,
      expected.standardError,
      actual?.standardError,
      deltaNllTolerance,
    ),
  ];
}

function relative(name, expected, actual) {
  return check(name, expected, actual, relativeTolerance * Math.abs(expected));
}

/** Documents that agree by chance leave a tiny error behind, rounded at the scale of the mean. */
function ofStandardError(name, expected, actual, mean) {
  const rounding = 1e-6 * Math.abs(mean);
  return check(name, expected, actual, relativeTolerance * expected + rounding);
}

function check(name, expected, actual, limit) {
  const value = actual ?? NaN;
  const deviation = Math.abs(value - expected);
  return { name, expected, actual: value, deviation, limit, ok: deviation <= limit };
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
