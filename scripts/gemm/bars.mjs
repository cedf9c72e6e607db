// The bars of bench-gemm, as data and pure functions of its rows. A bar is `met`, `missed`, `too noisy to say` or `not run`.

const SQUARES = { small: ['64', '128', '256', '512'], large: ['1024', '2048', '4096'] };
// The peak itself moving by more than this between its median and its best: the machine was not quiet.
const QUIET = 0.97;

const geometricMean = values => Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
const percent = value => `${(100 * value).toFixed(1)} %`;

/** Native over the best peer, of the medians of the paired ratios; null without a peer. */
export function againstBest(row) {
  const ratios = Object.values(row.ratios).map(({ median }) => median);
  return ratios.length === 0 ? null : Math.min(...ratios);
}

function verdict(name, rows, failing, detail) {
  if (rows.length === 0) return { name, verdict: 'not run', detail: '' };
  if (failing.length === 0) return { name, verdict: 'met', detail };
  // A row that fails while the peak stood still is a miss; if all that fail were disturbed, nobody can say.
  const firm = failing.filter(row => row.peakMedian >= QUIET * row.peakBest);
  const labels = failing.map(row => `${row.dtype} ${row.shape} t=${row.threads}`).join(', ');
  return { name, verdict: firm.length > 0 ? 'missed' : 'too noisy to say', detail: `${detail}; below: ${labels}` };
}

function shareBar(name, rows, least) {
  const worst = Math.min(...rows.map(row => row.shareOfPeak));
  return verdict(
    name,
    rows,
    rows.filter(row => row.shareOfPeak < least),
    `worst ${percent(worst)} of peak`,
  );
}

/** All bars, judged. */
export function judge(rows) {
  const one = rows.filter(row => row.threads === 1);
  const two = rows.filter(row => row.threads === 2);
  const compared = one.filter(row => againstBest(row) !== null);
  const mean = compared.length === 0 ? Number.NaN : geometricMean(compared.map(againstBest));
  const skinny = rows.filter(row => row.shape.startsWith('8x') && againstBest(row) !== null);
  const twoLarge = two.filter(row => row.m >= 256 && row.n >= 256 && row.k >= 256);
  return [
    verdict(
      'one thread: no shape more than 2 % below the best library',
      compared,
      compared.filter(row => againstBest(row) < 0.98),
      `worst ratio ${Math.min(...compared.map(againstBest)).toFixed(3)}`,
    ),
    verdict(
      'one thread: geometric mean 20 % ahead of the best library per shape',
      compared,
      mean >= 1.2 ? [] : compared,
      `mean ratio ${mean.toFixed(3)} over ${compared.length} shapes`,
    ),
    shareBar(
      'one thread: 97 % of peak from 64 to 512',
      one.filter(row => SQUARES.small.includes(row.shape)),
      0.97,
    ),
    shareBar(
      'one thread: 95 % of peak from 1024 to 4096',
      one.filter(row => SQUARES.large.includes(row.shape)),
      0.95,
    ),
    shareBar('two threads: 94 % of peak from 256 on', twoLarge, 0.94),
    verdict(
      'M = 8: 1.5 times the best library',
      skinny,
      skinny.filter(row => againstBest(row) < 1.5),
      `worst ratio ${Math.min(...skinny.map(againstBest)).toFixed(2)}`,
    ),
  ];
}
