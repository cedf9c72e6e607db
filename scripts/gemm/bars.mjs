// The bars of bench-gemm, as data and pure functions of its rows. A bar is `met`, `missed`, `too noisy to say` or `not run`.

const SQUARES = { small: ['64', '128', '256', '512'], large: ['1024', '2048', '4096'] };
const TEN_SHAPES = [
  '256',
  '512',
  '1024',
  '2048',
  '4096',
  '1000x1001x999',
  '1x4096x4096',
  '8x4096x4096',
  '16x4096x4096',
  '64x4096x4096',
];
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
  // A bar on all rows together is missed by none in particular.
  const below = failing.length === rows.length && rows.length > 1 ? '' : `; below: ${labels}`;
  return { name, verdict: firm.length > 0 ? 'missed' : 'too noisy to say', detail: `${detail}${below}` };
}

/** At least `least` of what `share` of a row is a part of. */
function shareBar(name, rows, least, share = row => row.shareOfPeak, of = 'peak') {
  const worst = Math.min(...rows.map(share));
  return verdict(
    name,
    rows,
    rows.filter(row => share(row) < least),
    `worst ${percent(worst)} of ${of}`,
  );
}

/** Upper quartile of the paired ratios to the best library: below 1, the library is ahead for certain. */
function upperQuartile(row) {
  return Math.min(...Object.values(row.ratios).map(({ high }) => high));
}

/** At least `least` times the best library. */
function ratioBar(name, rows, least, ratio = againstBest) {
  const compared = rows.filter(row => againstBest(row) !== null);
  return verdict(
    name,
    compared,
    compared.filter(row => ratio(row) < least),
    `worst ratio ${Math.min(...compared.map(againstBest)).toFixed(3)}`,
  );
}

/** Two threads over twice one thread, by the best sample of each. */
function scaling(one, two) {
  const rows = [];
  for (const row of two) {
    const alone = one.find(({ dtype, shape }) => dtype === row.dtype && shape === row.shape);
    if (alone !== undefined) rows.push({ ...row, scaling: row.rates.native.best / (2 * alone.rates.native.best) });
  }
  return shareBar('two threads: 97 % of twice one thread from 256 on', rows, 0.97, row => row.scaling, 'that');
}

const of = (list, shapes) => list.filter(row => shapes.includes(row.shape));

/** All bars, judged. */
export function judge(rows) {
  const floats = rows.filter(row => row.dtype === 'f32' || row.dtype === 'f64');
  const packed = rows.filter(row => row.weights === 'packed' && (row.dtype === 'bf16' || row.dtype === 's8'));
  const one = floats.filter(row => row.threads === 1);
  const two = floats.filter(row => row.threads === 2);
  const compared = one.filter(row => againstBest(row) !== null);
  const mean = compared.length === 0 ? Number.NaN : geometricMean(compared.map(againstBest));
  const ten = of(compared, TEN_SHAPES);
  const twoLarge = two.filter(row => row.m >= 256 && row.n >= 256 && row.k >= 256);
  return [
    ratioBar('one thread: no shape more than 2 % below the best library', one, 0.98),
    verdict(
      'one thread: geometric mean 20 % ahead of the best library per shape',
      compared,
      mean >= 1.2 ? [] : compared,
      `mean ratio ${mean.toFixed(3)} over ${compared.length} shapes${ten.length === 0 ? '' : `, ${geometricMean(ten.map(againstBest)).toFixed(3)} over the ten of the issue`}`,
    ),
    shareBar('one thread: 97 % of peak from 64 to 512', of(one, SQUARES.small), 0.97),
    shareBar('one thread: 95 % of peak from 1024 to 4096', of(one, SQUARES.large), 0.95),
    shareBar('two threads: 94 % of peak from 256 on', twoLarge, 0.94),
    scaling(one, twoLarge),
    shareBar(
      'M = 1 to 64: 90 % of the lower of peak and bandwidth',
      one.filter(row => row.m <= 64 && row.n > 64),
      0.9,
      row => row.shareOfLimit,
      'the limit',
    ),
    ratioBar(
      'M = 8: 1.5 times the best library',
      floats.filter(row => row.m === 8 && row.weights === 'rows'),
      1.5,
    ),
    ratioBar('bf16 and s8 on packed weights: at or above oneDNN', packed, 1, upperQuartile),
    shareBar('bf16 and s8 on packed weights: 95 % of peak from 512 to 2048', of(packed, ['512', '1024', '2048']), 0.95),
  ];
}
