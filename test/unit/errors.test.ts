import { describe, expect, it } from 'vitest';
import { AibenchError, AibenchErrors, allOrErrors, EXIT } from '../../src/errors.ts';

const bad = (name: string, code = 'DOCUMENT_INVALID'): AibenchError =>
  new AibenchError(code, `${name} is none.`, 'Leave it out.');

function thrown(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('it threw nothing');
}

describe('many files, several of them bad', () => {
  const work = (item: string): string => {
    if (item.startsWith('x')) throw bad(item);
    return item.toUpperCase();
  };

  it('gives what was asked for, in order, where all are good', () => {
    expect(allOrErrors(['a', 'b'], work)).toEqual(['A', 'B']);
  });

  it('one alone keeps its own sentence', () => {
    expect(thrown(() => allOrErrors(['a', 'x', 'b'], work))).toMatchObject({
      message: 'x is none.',
      exitCode: EXIT.usage,
    });
  });

  it('names all, through two lists too, and at most twenty', () => {
    const both = [
      ['a', 'x1'],
      ['x2', 'x3'],
    ];
    const error = thrown(() => allOrErrors(both, list => allOrErrors(list, work))) as AibenchErrors;
    expect(error).toBeInstanceOf(AibenchErrors);
    expect(error).toMatchObject({ code: 'DOCUMENT_INVALID', remedy: 'Leave it out.', exitCode: EXIT.usage });
    expect(error.message).toBe('3 of the files cannot be used: x1 is none. x2 is none. x3 is none.');
    const many = thrown(() =>
      allOrErrors(
        Array.from({ length: 100 }, (_, index) => `x${index}`),
        work,
      ),
    ) as AibenchErrors;
    expect(many.lines).toHaveLength(21);
    expect(many.message).toMatch(/and 80 more$/);
  });

  it('a defect of ours is not taken for a bad file', () => {
    const defect = new TypeError('ours');
    expect(
      thrown(() =>
        allOrErrors(['x'], () => {
          throw defect;
        }),
      ),
    ).toBe(defect);
  });
});
