"""What the methods paragraph cites, by a short key."""

CITATIONS: dict[str, str] = {
    "mni": "Fonov V, Evans AC, Botteron K, et al. (2011). Unbiased average age-appropriate atlases for "
    "pediatric studies. NeuroImage 54(1):313–327.",
    "nilearn": "Nilearn contributors. nilearn. doi:10.5281/zenodo.8397156.",
    "simpleitk": "Lowekamp BC, Chen DT, Ibáñez L, Blezek D (2013). The design of SimpleITK. "
    "Frontiers in Neuroinformatics 7:45.",
    "mutual information": "Mattes D, Haynor DR, Vesselle H, et al. (2003). PET-CT image registration "
    "in the chest using free-form deformations. IEEE Transactions on Medical Imaging 22(1):120–128.",
    "rigid": "Maes F, Collignon A, Vandermeulen D, Marchal G, Suetens P (1997). Multimodality image "
    "registration by maximization of mutual information. IEEE Transactions on Medical Imaging 16(2):187–198.",
    "nibabel": "Brett M, Markiewicz CJ, Hanke M, et al. nibabel: access a cacophony of neuro-imaging file "
    "formats. doi:10.5281/zenodo.591597.",
    "highdicom": "Bridge CP, Gorman C, Pieper S, et al. (2022). Highdicom: a Python library for standardized "
    "encoding of image annotations and machine learning model outputs in pathology and radiology. Journal of "
    "Digital Imaging 35:1719–1737.",
    "deepbet": "Fisch L, Zumdick S, Barkhau C, et al. (2024). deepbet: fast brain extraction of T1-weighted "
    "MRI using convolutional neural networks. Computers in Biology and Medicine 179:108845.",
    "n4": "Tustison NJ, Avants BB, Cook PA, et al. (2010). N4ITK: improved N3 bias correction. IEEE "
    "Transactions on Medical Imaging 29(6):1310–1320.",
    "bias model": "Van Leemput K, Maes F, Vandermeulen D, Suetens P (1999). Automated model-based bias field "
    "correction of MR images of the brain. IEEE Transactions on Medical Imaging 18(10):885–896.",
    "conformal": "Vovk V, Gammerman A, Shafer G (2005). Algorithmic Learning in a Random World. Springer.",
    "bic": "Schwarz G (1978). Estimating the dimension of a model. Annals of Statistics 6(2):461–464.",
}
